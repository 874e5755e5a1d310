import Bytes
import Glibc
import System

/// Records in a compact form, in the order in which they were read: in memory while they are few, in a temporary file
/// beyond that.
///
/// What cannot be formatted as it is read (several inputs, input out of order, pipes, the journal) is parsed once into
/// the spool and formatted from it. It holds ``memoryLimit`` bytes in memory, whatever it has taken.
package struct RecordSpool: ~Copyable {
  private static let memoryLimit = 1 << 20

  /// Where the spool's file is made: never in memory.
  private let directory: String
  private var tail = OutputBuffer(capacity: 2 << 20)
  private var file: FileDescriptor?
  private var fileSize = 0

  package init(directory: String) { self.directory = directory }

  /// The number of bytes taken so far: where the next record will be.
  package var size: Int { fileSize + tail.count }

  /// The head of a stored record: what is known of it without reading the rest.
  struct Head {
    var length: UInt32
    var fieldCount: UInt32
    var seconds: Int64
    var nanoseconds: UInt32
    var offsetMinutes: Int16
    var marks: UInt8
    var reserved: UInt8 = 0
    var input: UInt32
    var reserved2: UInt32 = 0
    var line: UInt64
    var pid: Int64

    var time: Timestamp {
      Timestamp(seconds: seconds, nanoseconds: nanoseconds, offsetMinutes: offsetMinutes)
    }
  }

  /// Stores a record and returns its length.
  package mutating func append(_ record: borrowing Record) throws(SystemCallError) -> Int {
    let length = Self.encode(record, into: &tail)
    if tail.count >= Self.memoryLimit { try flush() }
    return length
  }

  /// Writes a record in the spool's form at the end of `out` and returns its length.
  static func encode(_ record: borrowing Record, into out: inout OutputBuffer) -> Int {
    let count = record.fields.count
    // Each text has four bytes of length before it: six known ones and two for each field.
    let length = MemoryLayout<Head>.size + record.textLength + 24 + 8 * count
    let head = Head(
      length: UInt32(truncatingIfNeeded: length), fieldCount: UInt32(truncatingIfNeeded: count),
      seconds: record.time.seconds, nanoseconds: record.time.nanoseconds,
      offsetMinutes: record.time.offsetMinutes, marks: record.marks.rawValue,
      input: UInt32(truncatingIfNeeded: record.input), line: record.line, pid: Int64(record.pid))
    var cursor = out.cursor(reserving: length)
    cursor.put { target in
      UnsafeMutableRawPointer(target).storeBytes(of: head, as: Head.self)
      return MemoryLayout<Head>.size
    }
    put(record.level, &cursor)
    put(record.message, &cursor)
    put(record.source, &cursor)
    put(record.name, &cursor)
    put(record.container, &cursor)
    put(record.sandbox, &cursor)
    for index in 0..<count {
      put(record.fields[index].key, &cursor)
      put(record.fields[index].value, &cursor)
    }
    out.commit(cursor)
    return length
  }

  /// A length, whose highest bit tells plain text, and the bytes.
  @inline(__always)
  private static func put(_ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    let word = UInt32(truncatingIfNeeded: text.count) | (text.isPlain ? 1 << 31 : 0)
    out.put { target in
      UnsafeMutableRawPointer(target).storeBytes(of: word.littleEndian, as: UInt32.self)
      return 4
    }
    out.put(text)
  }

  private mutating func flush() throws(SystemCallError) {
    if file == nil { file = try .temporary(in: directory) }
    try writeTail()
  }

  private mutating func writeTail() throws(SystemCallError) {
    if file != nil {
      try file?.writeAll(tail.bytes, subject: "the temporary file in \(directory)")
    }
    fileSize += tail.count
    tail.removeAll()
  }

  /// Reads `count` bytes at `offset` into `target`. What is still in memory is copied from there.
  package func read(
    at offset: Int, count: Int, into target: UnsafeMutablePointer<UInt8>
  ) throws(SystemCallError) {
    var done = 0
    if offset < fileSize, file != nil {
      let fromFile = min(count, fileSize - offset)
      var got: Int?
      got = try file?.read(
        at: offset, into: target, count: fromFile, subject: "the temporary file in \(directory)")
      done = got ?? 0
    }
    if done < count {
      let start = offset + done - fileSize
      guard start >= 0, start + count - done <= tail.count, let base = tail.bytes.baseAddress else {
        throw SystemCallError("read", "the temporary file in \(directory)", code: EIO)
      }
      memcpy(target + done, base + start, count - done)
    }
  }

  /// Reads the head of the record at `offset`.
  func head(at offset: Int) throws(SystemCallError) -> Head {
    let size = MemoryLayout<Head>.size
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    defer { bytes.deallocate() }
    try read(at: offset, count: size, into: bytes.bindMemory(to: UInt8.self, capacity: size))
    return bytes.load(as: Head.self)
  }

  /// Takes a stored record out of memory: `bytes` begin with its head and hold all of it, with padding behind. The
  /// record's slices borrow from `bytes`.
  static func decode(_ bytes: UnsafePointer<UInt8>, into record: inout Record) -> Int {
    let head = UnsafeRawPointer(bytes).loadUnaligned(as: Head.self)
    record.reset()
    record.time = head.time
    record.marks = RecordMarks(rawValue: head.marks)
    record.input = Int(head.input)
    record.line = head.line
    record.pid = Int(head.pid)
    var p = bytes + MemoryLayout<Head>.size
    record.level = text(&p)
    record.message = text(&p)
    record.source = text(&p)
    record.name = text(&p)
    record.container = text(&p)
    record.sandbox = text(&p)
    for _ in 0..<head.fieldCount {
      let key = text(&p)
      _ = record.fields.add(key, text(&p))
    }
    _ = record.fields.sort()
    return Int(head.length)
  }

  @inline(__always)
  private static func text(_ p: inout UnsafePointer<UInt8>) -> ByteSlice {
    let word = UInt32(littleEndian: UnsafeRawPointer(p).loadUnaligned(as: UInt32.self))
    let slice = ByteSlice(base: p + 4, count: Int(word & 0x7fff_ffff), isPlain: word >> 31 == 1)
    p = slice.base + slice.count
    return slice
  }
}
