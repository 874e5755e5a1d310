import CLinux
import Glibc
import System

/// A compressed input, read through the system's decompression tool as a child process.
final class Decompressor {
  /// The compressions, which are recognised by their first bytes.
  enum Compression: String {
    case gzip, xz, zstd, bzip2

    static let magics: [(bytes: [UInt8], compression: Compression)] =
      [
        ([0x1f, 0x8b], .gzip), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], .xz),
        ([0x28, 0xb5, 0x2f, 0xfd], .zstd),
      ] + bzip2Magics
    static let magicLength = 8

    /// The compression level, then the header of a block or of the end: "BZh" alone could begin a text.
    private static var bzip2Magics: [(bytes: [UInt8], compression: Compression)] {
      (1...9).flatMap { level in
        [[0x31, 0x41, 0x59, 0x26], [0x17, 0x72, 0x45, 0x38]].map { head in
          (Array("BZh\(level)".utf8) + head, .bzip2)
        }
      }
    }

    init?(magic: [UInt8]) {
      guard let match = Self.magics.first(where: { magic.starts(with: $0.bytes) }) else { return nil }
      self = match.compression
    }

    /// The package that contains the tool.
    var package: String { self == .xz ? "xz-utils or xz" : rawValue }

    /// Whether the tool ends with this status if it read all of the content and only warns, such as about bytes after
    /// it.
    func isWarning(_ status: Int32) -> Bool { status == 2 && (self == .gzip || self == .xz) }
  }

  private let process: Subprocess
  private let compression: Compression
  /// The tool's standard error.
  private let messages: FileDescriptor
  private var feeder: WorkerThread?
  private var end: Subprocess.End?

  /// Starts the tool with `file` as its input and returns the read end of its output, which is the caller's to close.
  ///
  /// - Parameter head: bytes that were already read from the start of the file.
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
    let output = try PipeEnds(subject)
    let number = kata_memfd("messages")
    guard number >= 0 else { throw SystemCallError("memfd_create", subject) }
    let messages = FileDescriptor(owning: number)
    if head.isEmpty {
      let process = try spawn(
        compression, input: file.number, output: output.writeEnd.number, errors: messages.number, subject)
      let child = Decompressor(process, compression, messages: messages, feeder: nil)
      return (child, output.takeReadEnd().release())
    }
    let input = try PipeEnds(subject)
    let process = try spawn(
      compression, input: input.readEnd.number, output: output.writeEnd.number, errors: messages.number,
      subject)
    let source = file.number
    let target = input.takeWriteEnd().release()
    // The input is borrowed from the process (standard input), so its number stays valid.
    let feeder = WorkerThread.start { Self.feed(head, source, target) }
    let child = Decompressor(process, compression, messages: messages, feeder: feeder)
    return (child, output.takeReadEnd().release())
  }

  private init(
    _ process: Subprocess, _ compression: Compression, messages: consuming FileDescriptor,
    feeder: WorkerThread?
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
      // The tool itself reports what is missing.
    }
  }

  /// Waits for the tool to end, after all of its output was read.
  private func wait() -> Subprocess.End {
    if let end { return end }
    let end = process.wait()
    feeder?.join()
    feeder = nil
    self.end = end
    return end
  }

  /// Whether the tool's output is all of the content. Call it at the end of the output.
  func endsWhole() -> Bool {
    guard case .exited(let status) = wait() else { return false }
    return status == 0 || compression.isWarning(status)
  }

  /// How the tool ended. Call it after all of its output was read.
  func finish(_ subject: String, linesRead: UInt64) -> InputEnd {
    let program = compression.rawValue
    let words = message.map { " (\($0))" } ?? ""
    let place = "after \(linesRead) lines"
    switch wait() {
    case .exited(0): return .whole
    case .exited(let status) where compression.isWarning(status):
      return .warned("\(subject): \(program) warns\(words); all of the content was read")
    case .exited(let status):
      return .failed(
        InputFailure(
          "\(subject): \(program) failed \(place) with status \(status)\(words): the file is damaged or truncated; get a complete copy to read the rest",
          isPartial: linesRead > 0))
    case .killed(let signal):
      return .failed(
        InputFailure(
          "\(subject): \(program) failed \(place): it was killed by signal \(signal)\(words); read the file again, with more memory if it ran out",
          isPartial: linesRead > 0))
    }
  }

  /// The first line that the tool wrote to standard error.
  private var message: String? {
    let bytes = (try? messages.bytes(at: 0, count: 256, subject: "messages")) ?? []
    return bytes.split(separator: UInt8(ascii: "\n")).first.map { String(decoding: $0, as: UTF8.self) }
  }

  deinit {
    if end != nil { return }
    process.terminate()
    _ = process.wait()
  }

  private static func spawn(
    _ compression: Compression, input: Int32, output: Int32, errors: Int32, _ subject: String
  ) throws(SystemCallError) -> Subprocess {
    do throws(SystemCallError) {
      // This process ignores SIGPIPE; the tool must not.
      return try Subprocess.start(
        compression.rawValue, [compression.rawValue, "-dc"],
        descriptors: [
          .init(input, as: STDIN_FILENO), .init(output, as: STDOUT_FILENO), .init(errors, as: STDERR_FILENO),
        ])
    } catch {
      throw SystemCallError("run \(compression.rawValue), which decompresses it", subject, code: error.code)
    }
  }
}
