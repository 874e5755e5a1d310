/// Reads numbers and runs of bytes from memory, never beyond its end.
///
/// It borrows the memory: a reader lives inside one `withUnsafeBytes`.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position: Int
  /// Where this reader's part of the memory ends.
  let end: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    position = 0
    end = bytes.count
  }

  /// A reader of a part, whose positions are those of the whole; the part is held to the memory's bounds.
  init(_ bytes: UnsafeRawBufferPointer, from start: Int, count: Int) {
    self.bytes = bytes
    position = max(0, min(start, bytes.count))
    end = position + max(0, min(count, bytes.count - position))
  }

  @inline(__always) var remaining: Int { end - position }
  @inline(__always) var isAtEnd: Bool { position == end }

  @inline(__always) func failure(_ reason: DecodingError.Reason) -> DecodingError {
    DecodingError(reason, at: position)
  }

  /// A number of fixed width, little-endian. The bounds are checked before the one unaligned load.
  @inline(__always)
  mutating func little<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(DecodingError) -> T {
    let width = MemoryLayout<T>.size
    guard end - position >= width else { throw failure(.truncated) }
    let value = bytes.loadUnaligned(fromByteOffset: position, as: T.self)
    position &+= width
    return T(littleEndian: value)
  }

  @inline(__always)
  mutating func big<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(DecodingError) -> T {
    try little(type).byteSwapped
  }

  @inline(__always)
  mutating func byte() throws(DecodingError) -> UInt8 {
    guard position < end else { throw failure(.truncated) }
    let value = bytes[position]
    position &+= 1
    return value
  }

  /// A byte that is 0 or 1.
  @inline(__always)
  mutating func flag() throws(DecodingError) -> Bool {
    switch try byte() {
    case 0: return false
    case 1: return true
    default: throw DecodingError(.tag, at: position - 1)
    }
  }

  /// The offset of the next `count` bytes, which are passed over.
  @inline(__always)
  mutating func skip(_ count: UInt64) throws(DecodingError) -> Int {
    guard count <= UInt64(end - position) else { throw failure(.truncated) }
    let start = position
    position &+= Int(truncatingIfNeeded: count)
    return start
  }

  /// A protobuf varint of at most 64 bits.
  @inline(__always)
  mutating func varint() throws(DecodingError) -> UInt64 {
    let first = try byte()
    return first < 0x80 ? UInt64(first) : try longVarint(first)
  }

  private mutating func longVarint(_ first: UInt8) throws(DecodingError) -> UInt64 {
    var result = UInt64(first & 0x7f)
    var shift: UInt64 = 7
    while shift < 64 {
      let next = try byte()
      if shift == 63, next > 1 { throw failure(.number) }
      result |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return result }
      shift += 7
    }
    throw failure(.number)
  }

  /// Whether a part of the memory is valid UTF-8.
  @inline(__always)
  func isText(_ start: Int, _ count: Int) -> Bool {
    let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
    return part.isUTF8
  }
}
