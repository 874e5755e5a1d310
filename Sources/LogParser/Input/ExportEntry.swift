import Bytes
import Glibc

/// A journal entry of several lines, written by `journalctl -o verbose` (see ``VerboseEntry``) or in the journal's
/// export format: `NAME=value` lines or, if the value contains a line end or is not text, the name, the
/// length as a 64-bit little-endian number and the bytes; an empty line ends the entry.
/// https://systemd.io/JOURNAL_EXPORT_FORMATS/
struct ExportEntry: ~Copyable {
  enum Progress {
    case complete
    /// As `complete`; this line begins the next record.
    case completeBefore(ByteSlice)
    case problem(RecordProblem)
    /// The rest of the entry has not arrived yet.
    case pause
    case end
  }

  private static let fieldLimit = 1024

  private let limit: Int
  private var arena = Arena()
  private var fields = MemberList()
  private var size = 0
  private(set) var firstLine: UInt64 = 0
  private(set) var isOpen = false
  /// Whether the stream ended before the entry did, or in the middle of a field.
  private(set) var isCut = false
  /// When journald received the entry, if no field says so.
  private(set) var time: Timestamp?
  private var verbose = VerboseEntry()

  init(limit: Int) { self.limit = limit }

  /// The fields that were read; valid until the next entry is opened.
  func withFields(_ body: (borrowing MemberList) throws(RecordProblem) -> Void) throws(RecordProblem) {
    try body(fields)
  }

  /// Begins an entry with its first line: a text field, or the header of a verbose entry.
  mutating func open(_ line: ByteSlice, _ number: UInt64, _ clock: LineClock) {
    arena.reset()
    fields = MemberList()
    size = 0
    firstLine = number
    isOpen = true
    isCut = false
    time = VerboseEntry.time(ofHead: line, clock)
    if time == nil { addText(line) }
  }

  private mutating func addText(_ line: ByteSlice) {
    size += line.count
    guard size <= limit, fields.count < Self.fieldLimit, let equals = line.firstIndex(of: 0x3d) else {
      return
    }
    let copy = arena.copy(line)
    fields.append(copy.prefix(equals), copy.dropFirst(equals + 1))
  }

  /// Reads on to the end of the entry; `line` counts the text lines.
  mutating func read(_ lines: inout LineReader, _ line: inout UInt64) -> Progress {
    while true {
      switch lines.next() {
      case .end:
        isCut = time == nil
        return finish()
      case .pause: return .pause
      case .tooLong(let count):
        line += 1
        size += count
      case .text(let text):
        if time != nil {
          guard VerboseEntry.belongs(text) else { return finish(before: text) }
          line += 1
          addVerbose(text)
          continue
        }
        line += 1
        if text.isEmpty { return finish() }
        if text.contains(0x3d) {
          addText(text)
        } else if !addBinary(name: text, &lines) {
          isOpen = false
          isCut = true
          return .problem(
            RecordProblem("the journal entry ends in the middle of a field", remedy: "the export was cut"))
        }
      }
    }
  }

  private mutating func addVerbose(_ text: ByteSlice) {
    size += text.count
    guard size <= limit, fields.count < Self.fieldLimit else { return }
    verbose.add(text, to: &fields, &arena)
  }

  private mutating func finish(before line: ByteSlice) -> Progress {
    let progress = finish()
    if case .complete = progress { return .completeBefore(line) }
    return progress
  }

  private mutating func finish() -> Progress {
    isOpen = false
    verbose.finish(&fields, &arena)
    if size > limit { return .problem(.tooLong(size, limit: limit)) }
    return .complete
  }

  /// Reads the length and bytes of a field; false if the stream ends before them.
  private mutating func addBinary(
    name: ByteSlice, _ lines: inout LineReader
  ) -> Bool {
    let key = arena.copy(name)
    guard let head = lines.take(8) else { return false }
    let length = head.leadingWord
    let (total, overflowed) = UInt64(size).addingReportingOverflow(length)
    guard !overflowed, total <= UInt64(limit) else {
      size = Int(clamping: total)
      lines.skip(length)
      if let end = lines.take(1) { return end[0] == 0x0a }
      return false
    }
    size += Int(length)
    guard let bytes = lines.take(Int(length)) else { return false }
    let value = arena.copy(bytes)
    if fields.count < Self.fieldLimit { fields.append(key, value) }
    guard let end = lines.take(1) else { return false }
    return end[0] == 0x0a
  }
}
