import Bytes

/// The stored form of a record: a head of fixed size, then its texts.
enum StoredRecord {
  /// The fixed-size part of a stored record.
  struct Head {
    static let size = 44

    /// The length of the whole record, including the head.
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

  /// Appends a record to `out` and returns its length.
  static func encode(_ record: borrowing Record, into out: inout OutputBuffer) -> Int {
    let count = record.fields.count
    // Each text follows its length in four bytes: six known texts, and two for each field.
    let length = Head.size + record.textLength + 24 + 8 * count
    var cursor = out.cursor(reserving: length)
    cursor.put(little: UInt32(truncatingIfNeeded: length))
    cursor.put(little: UInt32(truncatingIfNeeded: count))
    cursor.put(little: record.time.seconds)
    cursor.put(little: record.time.nanoseconds)
    cursor.put(little: record.time.offsetMinutes)
    cursor.put(little: record.marks.rawValue)
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

  /// Reads a head.
  @inline(__always)
  static func head(_ reader: inout SliceReader) -> Head {
    Head(
      length: reader.little(UInt32.self), fieldCount: reader.little(UInt32.self),
      seconds: reader.little(Int64.self), nanoseconds: reader.little(UInt32.self),
      offsetMinutes: reader.little(Int16.self), marks: reader.little(UInt16.self),
      input: reader.little(UInt32.self), line: reader.little(UInt64.self), pid: reader.little(Int64.self))
  }

  /// Reads the record at the start of `bytes`, and returns its length; nil if there is no complete one. The record's
  /// slices borrow from `bytes`.
  static func decode(_ bytes: ByteSlice, into record: inout Record) -> Int? {
    var reader = SliceReader(bytes)
    let head = head(&reader)
    record.reset()
    record.time = head.time
    record.scratch.lastMinute.keepMinute(of: record.time)
    record.marks = RecordMarks(rawValue: head.marks)
    record.input = Int(head.input)
    record.line = head.line
    record.pid = Int(head.pid)
    record.level = reader.text()
    record.message = reader.text()
    record.source = reader.text()
    record.name = reader.text()
    record.container = reader.text()
    record.sandbox = reader.text()
    for _ in 0..<head.fieldCount {
      let key = reader.text()
      _ = record.fields.add(key, reader.text())
      if reader.isShort { break }
    }
    if reader.isShort { return nil }
    _ = record.fields.sort()
    return bytes.count - reader.remaining
  }
}
