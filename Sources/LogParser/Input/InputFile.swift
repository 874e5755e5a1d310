import Bytes
import Glibc
import System

/// An open input: its bytes, decompressed if necessary, as lines.
struct InputFile: ~Copyable {
  var lines: LineReader
  /// When the input was last changed: its modification time, or now for a pipe.
  let reference: Timestamp
  private let decompressor: Decompressor?

  /// The first bytes of a journal file: https://systemd.io/JOURNAL_FILE_FORMAT/#header
  static let journalMagic = Array("LPKSHHRH".utf8)

  /// Whether a file that begins with these bytes is a journal file.
  static func isJournal(_ head: [UInt8]) -> Bool { head.starts(with: journalMagic) }

  private init(lines: consuming LineReader, reference: Timestamp, decompressor: Decompressor?) {
    self.lines = lines
    self.reference = reference
    self.decompressor = decompressor
  }

  static func open(
    _ item: InputPath, _ options: InputOptions, isFollowed: Bool, tellsPauses: Bool, chunkSize: Int
  ) throws(InputFailure) -> InputFile {
    let source: Source
    do throws(SystemCallError) {
      source = try Source.open(item)
    } catch {
      throw InputFailure(error)
    }
    if source.head.starts(with: journalMagic) { throw .journalFile(item) }
    var decompressor: Decompressor?
    var unread = source.isSeekable ? [] : source.head
    let bytes: Int32
    let compression = Decompressor.Compression(magic: source.head)
    if let compression {
      let child = try Decompressor.start(compression, source.file, head: unread, subject: item.name)
      (decompressor, bytes) = child
      // If it cannot be read here, it cannot be read later either, and is reported then.
      unread = (try? Source.head(FileDescriptor(borrowing: bytes), isSeekable: false, item.name)) ?? []
      if unread.starts(with: journalMagic) {
        close(bytes)
        throw .compressedJournalFile(item, compression)
      }
    } else {
      bytes = fcntl(source.file.number, F_DUPFD_CLOEXEC, 3)
      guard bytes >= 0 else { throw InputFailure(SystemCallError("dup", item.name)) }
    }
    let isSeekable = source.isSeekable
    let decoder = UTF16Decoder(head: compression == nil ? source.head : unread)
    // Offsets in decoded text differ from those in the file.
    let place =
      isFollowed && isSeekable && compression == nil && decoder == nil ? lseek(bytes, 0, SEEK_CUR) : -1
    let lines = LineReader(
      FileDescriptor(owning: bytes), subject: item.name, limit: options.recordLimit,
      waitsForLineEnd: isFollowed,
      head: unread, chunkSize: chunkSize, checksFrom: place >= 0 ? place : nil,
      tellsPauses: tellsPauses && !isSeekable,
      keepsMark: !options.rules.isLenient, decoder: decoder,
      isEndSound: decompressor.map { child in { child.endsWhole() } })
    return InputFile(lines: lines, reference: source.reference, decompressor: decompressor)
  }

  /// Whether a regular file begins like a compressed one; false for inputs that cannot be examined without consuming
  /// them.
  static func isCompressed(_ item: InputPath) -> Bool {
    guard item.namesRegularFile, let file = try? FileDescriptor.open(item.path, O_RDONLY | O_NONBLOCK) else {
      return false
    }
    let head = try? file.bytes(at: 0, count: Decompressor.Compression.magicLength, subject: item.name)
    return Decompressor.Compression(magic: head ?? []) != nil
  }

  /// How the decompressor ended, if there is one. Call it after all lines were read.
  func finish(_ subject: String, linesRead: UInt64) -> InputEnd {
    decompressor?.finish(subject, linesRead: linesRead) ?? .whole
  }

  /// What is known of an input before its lines are read.
  private struct Source: ~Copyable {
    let file: FileDescriptor
    let reference: Timestamp
    let isSeekable: Bool
    /// The first bytes: still to be read in a file, already consumed from a pipe.
    let head: [UInt8]

    static func open(_ item: InputPath) throws(SystemCallError) -> Source {
      let file = try open(path: item)
      let status = try file.status(item.name)
      if status.st_mode & S_IFMT == S_IFDIR { throw SystemCallError("read", item.name, code: EISDIR) }
      let reference =
        status.isRegularFile
        ? Timestamp(
          seconds: Int64(status.st_mtim.tv_sec), nanoseconds: UInt32(clamping: status.st_mtim.tv_nsec))
        : LocalTime.now()
      let isSeekable = status.isRegularFile && lseek(file.number, 0, SEEK_CUR) >= 0
      let head = try head(file, isSeekable: isSeekable, item.name)
      return Source(file: file, reference: reference, isSeekable: isSeekable, head: head)
    }

    private static func open(path item: InputPath) throws(SystemCallError) -> FileDescriptor {
      if item.isStandardInput { return FileDescriptor(borrowing: STDIN_FILENO) }
      // Opening its name again would fail for a socket, and leave a pipe open forever.
      if let number = item.inherited { return FileDescriptor(borrowing: number) }
      return try FileDescriptor.open(item.path, O_RDONLY)
    }

    static func head(
      _ file: borrowing FileDescriptor, isSeekable: Bool, _ subject: String
    ) throws(SystemCallError) -> [UInt8] {
      let limit = InputFile.journalMagic.count
      if isSeekable {
        return try file.bytes(
          at: Int(lseek(file.number, 0, SEEK_CUR)), count: limit, subject: subject)
      }
      var head: [UInt8] = []
      // It is worth waiting for more bytes only while those that arrived are the beginning of a magic number.
      repeat {
        var bytes = [UInt8](repeating: 0, count: limit - head.count)
        let got = try file.read(into: &bytes, count: bytes.count, subject: subject)
        if got == 0 { break }
        head += bytes[..<got]
      } while head.count < limit && isPartOfMagic(head)
      return head
    }

    private static func isPartOfMagic(_ bytes: [UInt8]) -> Bool {
      InputFile.journalMagic.starts(with: bytes) || [0xef, 0xbb, 0xbf].starts(with: bytes)
        || UTF16Decoder.mayBegin(bytes)
        || Decompressor.Compression.magics.contains { $0.bytes.starts(with: bytes) }
    }
  }
}
