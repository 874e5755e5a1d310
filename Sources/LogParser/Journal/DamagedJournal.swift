import Bytes

/// The entries that can still be found in a damaged journal file.
struct DamagedJournal: ~Copyable {
  private static let windowSize = 64 << 10

  private var file: JournalFileBytes
  private let entries: ArraySlice<JournalFileScan.Entry>
  private var next: Int
  /// Fields that could not be read although their offsets are valid.
  private(set) var gaps: UInt64 = 0
  private var lastCursor: String?

  /// - Parameter entries: the entries to read.
  init?(_ path: String, _ entries: ArraySlice<JournalFileScan.Entry>) {
    guard let file = try? JournalFileBytes(path, windowSize: Self.windowSize) else {
      return nil
    }
    self.file = file
    self.entries = entries
    next = entries.startIndex
  }

  /// The time of the last entry, in microseconds.
  private(set) var time: UInt64 = 0
  /// The cursor of the last entry.
  var cursor: String? { lastCursor }

  /// Reads the fields of the next entry; false if there are no more.
  mutating func next(_ members: inout MemberList, _ arena: inout Arena) -> Bool {
    guard next < entries.endIndex else { return false }
    let entry = entries[next]
    next += 1
    time = entry.time
    members.removeAll()
    let items = items(of: entry)
    for item in items {
      guard let field = field(at: item, &arena), let equals = field.firstIndex(of: UInt8(ascii: "=")) else {
        gaps += 1
        continue
      }
      members.append(field.prefix(equals), field.dropFirst(equals + 1))
    }
    return true
  }

  private mutating func items(of entry: JournalFileScan.Entry) -> [Int] {
    guard let object = file.object(at: entry.offset), let bytes = file.bytes(at: entry.offset, object.size)
    else { return [] }
    func word(_ offset: Int) -> String {
      String(bytes.little(UInt64.self, at: offset) ?? 0, radix: 16)
    }
    lastCursor =
      "s=\(Self.hexadecimal(file.sequence));i=\(word(16));b=\(Self.hexadecimal(Array(bytes[40..<56])));m=\(word(32));t=\(word(24));x=\(word(56))"
    return (0..<file.itemCount(of: bytes)).map { file.item($0, of: bytes) }
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// A field, `NAME=value`; nil if there is no complete one.
  private mutating func field(at offset: Int, _ arena: inout Arena) -> ByteSlice? {
    guard let object = file.object(at: offset), object.kind == .data else { return nil }
    return file.field(of: object).map { text in text.withUnsafeBytes { arena.copy($0) } }
  }
}

/// The entries of all damaged files of a journal, one file after the other.
struct DamagedEntries: ~Copyable {
  private let files: [JournalCheck.Damage]
  private var index = 0
  private var file: DamagedJournal?
  private var failures: [InputFailure]
  private var arena = Arena()
  /// The fields of the last entry.
  private(set) var members = MemberList()
  private(set) var time = Timestamp.unset
  /// The cursor of the latest entry that was read.
  private(set) var cursor: String?
  private var youngest: UInt64 = 0

  init(_ files: [JournalCheck.Damage]) {
    self.files = files
    failures = files.map(\.failure)
    gaps = files.reduce(0) { $0 + $1.missing }
  }

  var isEmpty: Bool { files.isEmpty }
  private(set) var isAtEnd = false

  /// Entries and fields that could not be read.
  private(set) var gaps: UInt64

  mutating func takeFailures() -> [InputFailure] {
    defer { failures = [] }
    return failures
  }

  /// Reads the next entry; false if there are no more.
  mutating func next() -> Bool {
    while true {
      arena.reset()
      if file?.next(&members, &arena) ?? false {
        let microseconds = file?.time ?? 0
        time = Timestamp(microseconds: microseconds)
        if cursor == nil || microseconds >= youngest {
          youngest = microseconds
          cursor = file?.cursor ?? nil
        }
        return true
      }
      gaps += file?.gaps ?? 0
      file = nil
      guard index < files.count else {
        isAtEnd = true
        return false
      }
      file = DamagedJournal(files[index].path, files[index].entries)
      if file == nil { gaps += UInt64(files[index].entries.count) }
      index += 1
    }
  }
}
