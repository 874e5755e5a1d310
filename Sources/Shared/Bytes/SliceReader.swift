/// Reads numbers and texts that were written to an ``OutputBuffer``, never past the slice's end. If there are too few
/// bytes, it returns zeros and empty texts, and sets ``isShort``: one check for a whole record. Its results borrow from
/// the same memory as the slice.
public struct SliceReader {
  @usableFromInline internal var position: UnsafePointer<UInt8>
  @usableFromInline internal let end: UnsafePointer<UInt8>
  @usableFromInline internal var hasFailed = false

  @inlinable @inline(__always)
  public init(_ slice: ByteSlice) {
    position = slice.base
    end = slice.end
  }

  /// How many bytes are left.
  @inlinable @inline(__always)
  public var remaining: Int { end - position }

  /// Whether more bytes were requested than there were. From then on none are left.
  @inlinable @inline(__always)
  public var isShort: Bool { hasFailed }

  @inlinable @inline(__always)
  internal mutating func fail() {
    hasFailed = true
    position = end
  }

  /// A number of fixed width, little-endian.
  @inlinable @inline(__always)
  public mutating func little<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> T {
    guard remaining >= MemoryLayout<T>.size else {
      fail()
      return 0
    }
    let value = UnsafeRawPointer(position).loadUnaligned(as: T.self)
    position += MemoryLayout<T>.size
    return T(littleEndian: value)
  }

  /// A text that ``OutputBuffer/Cursor/put(text:)`` put.
  @inlinable @inline(__always)
  public mutating func text() -> ByteSlice {
    let word = little(UInt32.self)
    let count = Int(word & 0x7fff_ffff)
    guard count <= remaining else {
      fail()
      return .empty
    }
    let slice = ByteSlice(base: position, count: count, isPlain: word >> 31 == 1)
    position += count
    return slice
  }
}

extension OutputBuffer.Cursor {
  /// Puts a number of fixed width, little-endian.
  @inlinable @inline(__always)
  public mutating func put<T: FixedWidthInteger & BitwiseCopyable>(little value: T) {
    put { target in
      UnsafeMutableRawPointer(target).storeBytes(of: value.littleEndian, as: T.self)
      return MemoryLayout<T>.size
    }
  }

  /// Puts a text as ``SliceReader/text()`` reads it: four bytes of length, whose highest bit tells plain text, and the
  /// text.
  @inlinable @inline(__always)
  public mutating func put(text: ByteSlice) {
    put(little: UInt32(truncatingIfNeeded: text.count) | (text.isPlain ? 1 << 31 : 0))
    put(text)
  }
}
