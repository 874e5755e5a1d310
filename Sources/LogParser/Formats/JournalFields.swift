import Bytes
import Glibc

/// The fields of a journal entry as journald has them, in addition to the record that was read from them: for outputs
/// that keep the journal's own names.
///
/// They are one extra field of the record. No input can forge it: only ``RecordMarks/hasJournalFields`` says that it is
/// there.
package enum JournalFields {
  /// The key of the extra field; it comes before all others.
  private static let key: StaticString = "\u{0}journal"
  /// The name of the field with the entry's cursor.
  static let cursorName: StaticString = "__CURSOR"
  /// The longest name that journald accepts.
  private static let longestName = 64

  /// Whether journald uses or accepts a name: upper case, digits and `_`.
  static func isName(_ name: ByteSlice) -> Bool {
    guard (1...longestName).contains(name.count) else { return false }
    for index in 0..<name.count {
      switch name[index] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        continue
      default: return false
      }
    }
    return true
  }

  /// Adds the fields to a record. Of journald's addresses, whose names begin with two `_`, only the cursor is kept; a
  /// name that occurs more than once gets a number from the second time on.
  static func add(
    _ fields: borrowing MemberList, cursor: ByteSlice?, to record: inout Record
  ) {
    var kept: [(name: ByteSlice, value: ByteSlice)] = []
    kept.reserveCapacity(fields.count + 1)
    var cursor = cursor
    for index in 0..<fields.count {
      let (name, value) = fields[index]
      if name.hasPrefix("__") {
        if cursor == nil, name == cursorName { cursor = value }
      } else if isName(name) {
        kept.append((unique(name, among: kept, &record.arena), value))
      }
    }
    if let cursor { kept.append((record.arena.copy(cursorName), cursor)) }
    let bytes = encode(kept, &record.arena)
    record.setField(record.arena.copy(key), bytes)
    record.fields.sortKeepingLast()
    record.marks.insert(.hasJournalFields)
  }

  private static func unique(
    _ name: ByteSlice, among kept: [(name: ByteSlice, value: ByteSlice)], _ arena: inout Arena
  ) -> ByteSlice {
    var candidate = name
    var number = 0
    while kept.contains(where: { $0.name.equals(candidate) }) {
      number += 1
      candidate = arena.copy("\(name.string).\(number)")
    }
    return candidate
  }

  /// Each name and value as ``SliceReader/text()`` reads them.
  private static func encode(_ kept: [(name: ByteSlice, value: ByteSlice)], _ arena: inout Arena) -> ByteSlice
  {
    let count = kept.reduce(0) { $0 + 8 + $1.name.count + $1.value.count }
    let out = UnsafeMutableRawPointer(arena.reserve(count))
    var place = 0
    for text in kept.flatMap({ [$0.name, $0.value] }) {
      let head = UInt32(truncatingIfNeeded: text.count) | (text.isPlain ? 1 << 31 : 0)
      out.storeBytes(of: head.littleEndian, toByteOffset: place, as: UInt32.self)
      memcpy(out + place + 4, text.base, text.count)
      place += 4 + text.count
    }
    return arena.commit(place)
  }

  /// Reads what ``add(_:cursor:to:)`` added; nil if the record is not from the journal, or the output does not need it.
  @inline(__always)
  static func reader(_ record: borrowing Record) -> SliceReader? {
    guard record.marks.contains(.hasJournalFields), record.fields.count > 0, isOwn(record.fields[0].key)
    else {
      return nil
    }
    return SliceReader(record.fields[0].value)
  }

  /// Replaces each value for which `body` returns another one; the names and the cursor stay.
  static func replaceValues(
    of record: inout Record, _ body: (ByteSlice, ByteSlice, inout Arena) -> ByteSlice?
  ) {
    guard var fields = reader(record) else { return }
    var kept: [(name: ByteSlice, value: ByteSlice)] = []
    var isChanged = false
    while fields.remaining > 0 {
      let name = fields.text()
      let value = fields.text()
      let other = name == cursorName ? nil : body(name, value, &record.arena)
      if other != nil { isChanged = true }
      kept.append((name, other ?? value))
    }
    if isChanged { record.fields.setValue(encode(kept, &record.arena), at: 0) }
  }

  /// Whether a key is that of the extra field.
  @inline(__always)
  static func isOwn(_ key: ByteSlice) -> Bool { key == Self.key }
}
