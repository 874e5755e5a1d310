import Bytes

/// The positions of those fields of a record for which OTLP has its own fields.
struct OTLPFields {
  private(set) var subsystem = -1
  private(set) var version = -1
  private(set) var host = -1
  private(set) var pod = -1
  private(set) var namespace = -1
  private(set) var traceID = -1
  private(set) var spanID = -1
  /// The level as the guest's agent spells it, if the record has the runtime's word for it.
  private(set) var level = -1
  /// The entry's position in the journal, and the host that the journal names; empty if it is not a journal entry.
  private(set) var cursor = ByteSlice.empty
  private(set) var journalHost = ByteSlice.empty
  /// Whether the first field has the journal's own.
  private var hasJournal = false
  /// The guest's own time, if the record has the host's time.
  private(set) var guestTime = -1
  private(set) var ownTime = Timestamp.unset

  @inline(__always)
  init(_ record: borrowing Record, _ origin: OTLPOrigin, isKata: Bool) {
    var first = 0
    if var journal = JournalFields.reader(record) {
      first = 1
      readJournal(&journal, isGuest: origin == .guest)
    }
    for index in first..<record.fields.count {
      let key = record.fields[index].key
      switch key.count {
      case 2 where origin == .guest && key == "ts":
        guard let time = Timestamp.parse(field: record.fields[index].value) else { continue }
        guestTime = index
        ownTime = time
      case 3 where key == "pod": pod = index
      // A host name from a guest is one that the guest chose.
      case 4 where origin != .guest && key == "host": host = index
      case 5 where origin == .guest && key == "level": level = index
      case 6, 7, 8: note(key, index, isKata: isKata, record)
      case 9:
        if key == "subsystem" { subsystem = index }
        if origin != .guest, host < 0, key == "_HOSTNAME" { host = index }
      case 13 where key == "pod_namespace": namespace = index
      default: break
      }
    }
  }

  @inline(__always)
  private mutating func note(_ key: ByteSlice, _ index: Int, isKata: Bool, _ record: borrowing Record) {
    switch key.peek(0) {
    case UInt8(ascii: "v"):
      if isKata, key == "version", !record.fields[index].value.isEmpty { version = index }
    case UInt8(ascii: "t"):
      let isID = key == "trace_id" || key == "trace-id" || key == "traceID" || key == "traceid"
      if isID, Self.isID(record.fields[index].value, 32) { traceID = index }
    case UInt8(ascii: "s"):
      let isID = key == "span_id" || key == "span-id" || key == "spanID" || key == "spanid"
      if isID, Self.isID(record.fields[index].value, 16) { spanID = index }
    default: break
    }
  }

  private mutating func readJournal(_ journal: inout SliceReader, isGuest: Bool) {
    hasJournal = true
    while journal.remaining > 0 {
      let name = journal.text()
      let value = journal.text()
      if name == JournalFields.cursorName { cursor = value }
      if !isGuest, name == "_HOSTNAME" { journalHost = value }
    }
  }

  /// Whether a text is an id of this many hexadecimal digits, not all zero.
  private static func isID(_ text: ByteSlice, _ count: Int) -> Bool {
    guard text.count == count else { return false }
    var isZero = true
    for index in 0..<count {
      guard let digit = HexDigit.value(text[index]) else { return false }
      if digit != 0 { isZero = false }
    }
    return !isZero
  }

  /// Whether OTLP has its own field for the field at `index`.
  @inline(__always)
  func hasPlace(_ index: Int) -> Bool {
    index == 0 && hasJournal || index == subsystem || index == version || index == host || index == pod
      || index == namespace
      || index == guestTime || index == level
      || index == traceID && hasContext || index == spanID && hasContext
  }

  /// Whether the record names its span. A span id means nothing without its trace id.
  var hasContext: Bool { traceID >= 0 }
}
