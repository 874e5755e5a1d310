/// Reads numbers and runs of bytes from memory, never beyond its end.
///
/// It borrows the memory: a reader lives inside one `withUnsafeBytes`.
public struct ByteReader {
  public let bytes: UnsafeRawBufferPointer
  @usableFromInline internal var offset: Int
  @inlinable public var position: Int { offset }
  /// Where this reader's part of the memory ends.
  public let end: Int

  @inlinable public init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    offset = 0
    end = bytes.count
  }

  /// A reader of a part, whose positions are those of the whole; the part is clamped to the memory's bounds.
  @inlinable public init(_ bytes: UnsafeRawBufferPointer, from start: Int, count: Int) {
    self.bytes = bytes
    offset = max(0, min(start, bytes.count))
    end = offset + max(0, min(count, bytes.count - offset))
  }

  @inlinable @inline(__always) public var remaining: Int { end - position }
  @inlinable @inline(__always) public var isAtEnd: Bool { position == end }

  @inlinable @inline(__always) public func failure(_ reason: CodecError.Reason) -> CodecError {
    CodecError(reason, at: position)
  }

  /// A number of fixed width, little-endian. The bounds are checked before the one unaligned load.
  @inlinable @inline(__always)
  public mutating func little<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(CodecError) -> T
  {
    let width = MemoryLayout<T>.size
    guard end - position >= width else { throw failure(.truncated) }
    let value = bytes.loadUnaligned(fromByteOffset: position, as: T.self)
    offset &+= width
    return T(littleEndian: value)
  }

  @inlinable @inline(__always)
  public mutating func big<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws(CodecError) -> T {
    try little(type).byteSwapped
  }

  @inlinable @inline(__always)
  public mutating func byte() throws(CodecError) -> UInt8 {
    guard position < end else { throw failure(.truncated) }
    let value = bytes[position]
    offset &+= 1
    return value
  }

  /// A byte that is 0 or 1.
  @inlinable @inline(__always)
  public mutating func flag() throws(CodecError) -> Bool {
    switch try byte() {
    case 0: return false
    case 1: return true
    default: throw CodecError(.tag, at: position - 1)
    }
  }

  /// Skips the next `count` bytes, and returns their offset.
  @inlinable @inline(__always)
  public mutating func skip(_ count: UInt64) throws(CodecError) -> Int {
    guard count <= UInt64(end - position) else { throw failure(.truncated) }
    let start = position
    offset &+= Int(truncatingIfNeeded: count)
    return start
  }

  /// Skips the next `count` bytes, which must be valid UTF-8, and returns their offset.
  @inlinable @inline(__always)
  public mutating func text(_ count: UInt64) throws(CodecError) -> Int {
    let start = try skip(count)
    guard bytes.part(from: start, count: Int(truncatingIfNeeded: count)).isUTF8 else {
      throw CodecError(.text, at: start)
    }
    return start
  }

  /// A protobuf varint of at most 64 bits.
  @inlinable @inline(__always)
  public mutating func varint() throws(CodecError) -> UInt64 {
    let first = try byte()
    return first < 0x80 ? UInt64(first) : try longVarint(first)
  }

  @inlinable internal mutating func longVarint(_ first: UInt8) throws(CodecError) -> UInt64 {
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
  @inlinable @inline(__always)
  public func isText(_ start: Int, _ count: Int) -> Bool {
    bytes.part(start..<start + count).isUTF8
  }
}
