import CLinux
import Glibc
import System

/// A compressed input, read through the system's own tool as a child process.
final class Decompressor {
  /// The compressions that are known by their first bytes.
  enum Compression: String {
    case gzip, xz, zstd

    static let magics: [(bytes: [UInt8], compression: Compression)] = [
      ([0x1f, 0x8b], .gzip), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], .xz), ([0x28, 0xb5, 0x2f, 0xfd], .zstd),
    ]
    static let magicLength = 6

    init?(magic: [UInt8]) {
      guard let match = Self.magics.first(where: { magic.starts(with: $0.bytes) }) else { return nil }
      self = match.compression
    }

    /// The package that has the tool.
    var package: String { self == .xz ? "xz-utils or xz" : rawValue }

    /// Whether the tool ends with this status when it took all of the content and warns of something else, such as
    /// bytes behind it.
    func isWarning(_ status: Int32) -> Bool { status == 2 && self != .zstd }
  }

  private let process: pid_t
  private let compression: Compression
  /// What the tool writes to standard error.
  private let messages: FileDescriptor
  private var feeder: WorkerThread?
  private var status: Int32?

  /// Starts the tool with `file` as its input and returns the read end of its output, which is the caller's to close.
  ///
  /// - Parameter head: bytes of the file that were read already, which go before the rest of it.
  static func start(
    _ compression: Compression, _ file: borrowing FileDescriptor, head: [UInt8], subject: String
  ) throws(InputFailure) -> (Decompressor, output: Int32) {
    do throws(SystemCallError) {
      return try startOrThrow(compression, file, head: head, subject: subject)
    } catch {
      throw error.code == ENOENT
        ? InputFailure(
          "\(subject): \(compression.rawValue), which decompresses it, is not installed; install the package \(compression.package)"
        ) : InputFailure(error)
    }
  }

  private static func startOrThrow(
    _ compression: Compression, _ file: borrowing FileDescriptor, head: [UInt8], subject: String
  ) throws(SystemCallError) -> (Decompressor, output: Int32) {
    let output = try Pipe(subject)
    let number = kata_memfd("messages")
    guard number >= 0 else { throw SystemCallError("memfd_create", subject) }
    let messages = FileDescriptor(owning: number)
    if head.isEmpty {
      let process = try spawn(
        compression.rawValue, input: file.number, output: output.writeEnd.number, errors: messages.number,
        subject)
      let child = Decompressor(process, compression, messages: messages, feeder: nil)
      return (child, try output.takeReadEnd(subject))
    }
    let input = try Pipe(subject)
    let process = try spawn(
      compression.rawValue, input: input.readEnd.number, output: output.writeEnd.number,
      errors: messages.number, subject)
    let source = file.number
    let target = dup(input.writeEnd.number)
    _ = fcntl(target, F_SETFD, FD_CLOEXEC)
    // The input is borrowed from the process (standard input), so its number stays good.
    let feeder = WorkerThread.start { Self.feed(head, source, target) }
    let child = Decompressor(process, compression, messages: messages, feeder: feeder)
    return (child, try output.takeReadEnd(subject))
  }

  private init(
    _ process: pid_t, _ compression: Compression, messages: consuming FileDescriptor, feeder: WorkerThread?
  ) {
    self.process = process
    self.compression = compression
    self.messages = messages
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

  /// Waits for the tool's end after all of its output was read, and returns its status as waitpid(2) gives it.
  private func wait() -> Int32 {
    if let status { return status }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    feeder?.join()
    feeder = nil
    self.status = status
    return status
  }

  /// Whether the tool's output is all of the content; to be called at the end of the output.
  func endsWhole() -> Bool {
    let status = wait()
    return status == 0 || status & 0x7f == 0 && compression.isWarning(status >> 8 & 0xff)
  }

  /// How the tool ended; to be called after all of its output was read.
  func finish(_ subject: String, linesRead: UInt64) -> InputEnd {
    let status = wait()
    if status == 0 { return .whole }
    let program = compression.rawValue
    let words = message.map { " (\($0))" } ?? ""
    if endsWhole() { return .warned("\(subject): \(program) warns\(words); all of the content was read") }
    let place = "after \(linesRead) lines"
    if status & 0x7f != 0 {
      return .failed(
        InputFailure(
          "\(subject): \(program) failed \(place): it was killed by signal \(status & 0x7f)\(words); read the file again, with more memory if that was short",
          isPartial: linesRead > 0))
    }
    return .failed(
      InputFailure(
        "\(subject): \(program) failed \(place) with status \(status >> 8 & 0xff)\(words): the file is damaged or cut short; get a whole copy for the rest",
        isPartial: linesRead > 0))
  }

  /// The first line that the tool wrote to standard error.
  private var message: String? {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = (try? messages.read(at: 0, into: &bytes, count: bytes.count, subject: "messages")) ?? 0
    return bytes[..<count].split(separator: UInt8(ascii: "\n")).first.map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  deinit {
    if status != nil { return }
    kill(process, SIGTERM)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
  }

  private static func spawn(
    _ program: String, input: Int32, output: Int32, errors: Int32, _ subject: String
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
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
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
    if code != 0 { throw SystemCallError("run \(program), which decompresses it", subject, code: code) }
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
  consuming func takeReadEnd(_ subject: String) throws(SystemCallError) -> Int32 {
    let number = fcntl(readEnd.number, F_DUPFD_CLOEXEC, 3)
    guard number >= 0 else { throw SystemCallError("dup", subject) }
    return number
  }
}
