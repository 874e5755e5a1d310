import Basics
import Glibc

/// An input that is open: its bytes, decompressed where it was compressed, as lines.
struct InputFile: ~Copyable {
  var lines: LineReader
  /// When the input was last written: its modification time, or now for a pipe.
  let reference: Timestamp
  private let decompressor: Decompressor?

  private init(lines: consuming LineReader, reference: Timestamp, decompressor: Decompressor?) {
    self.lines = lines
    self.reference = reference
    self.decompressor = decompressor
  }

  static func open(
    _ item: InputList.Item, recordLimit: Int, isFollowed: Bool
  ) throws(SystemCallError) -> InputFile {
    let file =
      item.isStandardInput
      ? FileDescriptor(borrowing: STDIN_FILENO) : try FileDescriptor.open(item.path, O_RDONLY)
    let status = try file.status(item.name)
    if status.st_mode & S_IFMT == S_IFDIR { throw SystemCallError("read", item.name, code: EISDIR) }
    let reference =
      status.isRegularFile
      ? Timestamp(
        seconds: Int64(status.st_mtim.tv_sec), nanoseconds: UInt32(clamping: status.st_mtim.tv_nsec))
      : LocalTime.now()
    let isSeekable = status.isRegularFile && lseek(file.number, 0, SEEK_CUR) >= 0
    let head = try head(file, isSeekable: isSeekable, item.name)
    var unread = isSeekable ? [] : head
    var decompressor: Decompressor?
    let source: Int32
    if let compression = Decompressor.Compression(magic: head) {
      (decompressor, source) = try Decompressor.start(compression, file, head: unread, subject: item.name)
      unread = []
    } else {
      source = fcntl(file.number, F_DUPFD_CLOEXEC, 3)
      guard source >= 0 else { throw SystemCallError("dup", item.name) }
    }
    let lines = LineReader(
      FileDescriptor(owning: source), subject: item.name, limit: recordLimit, waitsForLineEnd: isFollowed,
      head: unread,
      detectsTruncation: isFollowed && isSeekable && decompressor == nil && !item.isStandardInput)
    return InputFile(lines: lines, reference: reference, decompressor: decompressor)
  }

  /// The first bytes: looked at in a file, read from a pipe.
  private static func head(
    _ file: borrowing FileDescriptor, isSeekable: Bool, _ subject: String
  ) throws(SystemCallError) -> [UInt8] {
    let wanted = Decompressor.Compression.magicLength
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 8)
    defer { bytes.deallocate() }
    var count = 0
    if isSeekable {
      count = try file.read(
        at: Int(lseek(file.number, 0, SEEK_CUR)), into: bytes, count: wanted, subject: subject)
    } else {
      // Two bytes tell whether more are worth waiting for.
      while count < wanted {
        let got = try file.read(into: bytes + count, count: wanted - count, subject: subject)
        count += got
        if got == 0 || !mayBeCompressed(bytes.load(as: UInt8.self)) { break }
      }
    }
    return Array(UnsafeRawBufferPointer(start: bytes, count: count))
  }

  private static func mayBeCompressed(_ first: UInt8) -> Bool {
    first == 0x1f || first == 0xfd || first == 0x28
  }

  /// To be called when all lines were read: throws when the decompressor had to stop early.
  func finish(_ subject: String) throws(Run.Failure) { try decompressor?.finish(subject) }
}
