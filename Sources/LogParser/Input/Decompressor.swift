import Glibc
import System

/// A compressed input, read through the system's own tool as a child process.
final class Decompressor {
  /// The compressions that are known by their first bytes.
  enum Compression: String {
    case gzip, xz, zstd

    static let magicLength = 6

    init?(magic: [UInt8]) {
      if magic.starts(with: [0x1f, 0x8b]) {
        self = .gzip
      } else if magic.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
        self = .xz
      } else if magic.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
        self = .zstd
      } else {
        return nil
      }
    }
  }

  private let process: pid_t
  private let program: String
  private var feeder: WorkerThread?
  private var hasEnded = false

  /// Starts the tool with `file` as its input and returns the read end of its output, which is the caller's to close.
  ///
  /// - Parameter head: bytes of the file that were read already, which go before the rest of it.
  static func start(
    _ compression: Compression, _ file: borrowing FileDescriptor, head: [UInt8], subject: String
  ) throws(SystemCallError) -> (Decompressor, output: Int32) {
    let output = try Pipe(subject)
    if head.isEmpty {
      let process = try spawn(
        compression.rawValue, input: file.number, output: output.writeEnd.number, subject)
      return (
        Decompressor(process: process, program: compression.rawValue, feeder: nil), output.takeReadEnd()
      )
    }
    let input = try Pipe(subject)
    let process = try spawn(
      compression.rawValue, input: input.readEnd.number, output: output.writeEnd.number, subject)
    let source = file.number
    let target = dup(input.writeEnd.number)
    _ = fcntl(target, F_SETFD, FD_CLOEXEC)
    // The input is borrowed from the process (standard input), so its number stays good.
    let feeder = WorkerThread.start { Self.feed(head, source, target) }
    return (
      Decompressor(process: process, program: compression.rawValue, feeder: feeder), output.takeReadEnd()
    )
  }

  private init(process: pid_t, program: String, feeder: WorkerThread?) {
    self.process = process
    self.program = program
    self.feeder = feeder
  }

  private static func feed(_ head: [UInt8], _ source: Int32, _ target: Int32) {
    let sink = FileDescriptor(owning: target)
    let input = FileDescriptor(borrowing: source)
    do throws(SystemCallError) {
      let buffer = UnsafeMutableRawPointer.allocate(byteCount: 64 << 10, alignment: 4096)
      defer { buffer.deallocate() }
      buffer.copyMemory(from: head, byteCount: min(head.count, 64 << 10))
      try sink.writeAll(UnsafeRawBufferPointer(start: buffer, count: head.count), subject: "the decompressor")
      while true {
        let got = try input.read(into: buffer, count: 64 << 10, subject: "standard input")
        if got == 0 { break }
        try sink.writeAll(UnsafeRawBufferPointer(start: buffer, count: got), subject: "the decompressor")
      }
    } catch {
      // The tool says itself what it misses.
    }
  }

  /// Waits for the tool's end after all of its output was read; throws what it failed with.
  func finish(_ subject: String) throws(Run.Failure) {
    if hasEnded { return }
    hasEnded = true
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    feeder?.join()
    feeder = nil
    if status != 0 {
      let reason = status & 0x7f == 0 ? "status \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
      throw .message("\(subject): \(program) failed with \(reason): the file is damaged or cut short")
    }
  }

  deinit {
    if hasEnded { return }
    kill(process, SIGTERM)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
  }

  private static func spawn(
    _ program: String, input: Int32, output: Int32, _ subject: String
  ) throws(SystemCallError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    // We ignore SIGPIPE; the tool must not.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    var process: pid_t = 0
    let code: Int32 = program.withCString { name in
      "-dc".withCString { option in
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(name), strdup(option), nil]
        defer { for argument in arguments { free(argument) } }
        return posix_spawnp(&process, name, &actions, &attributes, &arguments, environ)
      }
    }
    if code != 0 {
      throw SystemCallError(
        "run \(program), which decompresses it and must be installed", subject, code: code)
    }
    return process
  }
}

/// Two ends of a pipe.
private struct Pipe: ~Copyable {
  let readEnd: FileDescriptor
  let writeEnd: FileDescriptor

  init(_ subject: String) throws(SystemCallError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw SystemCallError("pipe", subject) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    readEnd = FileDescriptor(owning: ends[0])
    writeEnd = FileDescriptor(owning: ends[1])
  }

  /// The read end alone; the write end is closed.
  consuming func takeReadEnd() -> Int32 { fcntl(readEnd.number, F_DUPFD_CLOEXEC, 3) }
}
