import Bytes

/// A record in the form in which it waits to be written: a head of fixed size, then its texts.
enum StoredRecord {
  /// What is known of a stored record without reading the rest.
  struct Head {
    static let size = 44

    /// Of the whole record, the head included.
    var length: UInt32
    var fieldCount: UInt32
    var seconds: Int64
    var nanoseconds: UInt32
    var offsetMinutes: Int16
    var marks: UInt16
    var input: UInt32
    var line: UInt64
    var pid: Int64

    var time: Timestamp {
      Timestamp(seconds: seconds, nanoseconds: nanoseconds, offsetMinutes: offsetMinutes)
    }
  }

  /// Puts a record at the end of `out` and returns its length.
  static func encode(_ record: borrowing Record, into out: inout OutputBuffer) -> Int {
    let count = record.fields.count
    // Each text has four bytes of length before it: six known ones and two for each field.
    let length = Head.size + record.textLength + 24 + 8 * count
    var cursor = out.cursor(reserving: length)
    cursor.put(little: UInt32(truncatingIfNeeded: length))
    cursor.put(little: UInt32(truncatingIfNeeded: count))
    cursor.put(little: record.time.seconds)
    cursor.put(little: record.time.nanoseconds)
    cursor.put(little: record.time.offsetMinutes)
    cursor.put(little: UInt16(record.marks.rawValue))
    cursor.put(little: UInt32(truncatingIfNeeded: record.input))
    cursor.put(little: record.line)
    cursor.put(little: Int64(record.pid))
    cursor.put(text: record.level)
    cursor.put(text: record.message)
    cursor.put(text: record.source)
    cursor.put(text: record.name)
    cursor.put(text: record.container)
    cursor.put(text: record.sandbox)
    for index in 0..<count {
      cursor.put(text: record.fields[index].key)
      cursor.put(text: record.fields[index].value)
    }
    out.commit(cursor)
    return length
  }

  /// Reads a head; nil when there are not so many bytes.
  @inline(__always)
  static func head(_ reader: inout SliceReader) -> Head? {
    guard let length = reader.little(UInt32.self), let fieldCount = reader.little(UInt32.self),
      let seconds = reader.little(Int64.self), let nanoseconds = reader.little(UInt32.self),
      let offsetMinutes = reader.little(Int16.self), let marks = reader.little(UInt16.self),
      let input = reader.little(UInt32.self), let line = reader.little(UInt64.self),
      let pid = reader.little(Int64.self)
    else { return nil }
    return Head(
      length: length, fieldCount: fieldCount, seconds: seconds, nanoseconds: nanoseconds,
      offsetMinutes: offsetMinutes, marks: marks, input: input, line: line, pid: pid)
  }

  /// Reads the record that `bytes` begin with, and returns its length; nil when they hold no whole one. The record's
  /// slices borrow from `bytes`.
  static func decode(_ bytes: ByteSlice, into record: inout Record) -> Int? {
    var reader = SliceReader(bytes)
    guard let head = head(&reader) else { return nil }
    record.reset()
    record.time = head.time
    record.marks = RecordMarks(rawValue: UInt8(truncatingIfNeeded: head.marks))
    record.input = Int(head.input)
    record.line = head.line
    record.pid = Int(head.pid)
    guard let level = reader.text(), let message = reader.text(), let source = reader.text(),
      let name = reader.text(), let container = reader.text(), let sandbox = reader.text()
    else { return nil }
    record.level = level
    record.message = message
    record.source = source
    record.name = name
    record.container = container
    record.sandbox = sandbox
    for _ in 0..<head.fieldCount {
      guard let key = reader.text(), let value = reader.text() else { return nil }
      _ = record.fields.add(key, value)
    }
    _ = record.fields.sort()
    return bytes.count - reader.remaining
  }
}
