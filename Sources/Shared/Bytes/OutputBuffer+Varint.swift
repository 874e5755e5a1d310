import Glibc

/// What protobuf's binary form is made of: numbers of variable length, and parts with their length before them.
extension OutputBuffer.Cursor {
  /// The most bytes that ``putDelimited(_:)`` adds to what its body puts, for parts of less than 4 GiB.
  public static let lengthGrowth = 5

  /// Puts a number in groups of seven bits, the lowest first: ten bytes at most.
  @inlinable @inline(__always)
  public mutating func put(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      put(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    put(UInt8(truncatingIfNeeded: rest))
  }

  /// Puts what `body` puts, with its length before it.
  @inlinable @inline(__always)
  public mutating func putDelimited(_ body: (inout OutputBuffer.Cursor) -> Void) {
    // Most parts are shorter than 128 bytes: their length takes one byte, and nothing has to be moved.
    let start = p
    p += 1
    body(&self)
    let length = p - start - 1
    if length < 0x80 {
      start.pointee = UInt8(truncatingIfNeeded: length)
    } else {
      insertLength(length, at: start)
    }
  }

  @usableFromInline @inline(never)
  internal mutating func insertLength(_ length: Int, at start: UnsafeMutablePointer<UInt8>) {
    var width = 1
    while length >> (7 * width) > 0 { width += 1 }
    memmove(start + width, start + 1, length)
    p = start
    put(varint: UInt64(length))
    p += length
  }

  /// Puts a text with what is not UTF-8 replaced by U+FFFD: three bytes for one at most.
  @inlinable @inline(__always)
  public mutating func put(utf8 text: ByteSlice) {
    if UTF8Scalar.isValid(text) { put(text) } else { putRepaired(text) }
  }

  @usableFromInline @inline(never)
  internal mutating func putRepaired(_ text: ByteSlice) {
    var index = 0
    while index < text.count {
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if scalar == nil {
        put("\u{fffd}")
      } else {
        for offset in 0..<length { put(text[index + offset]) }
      }
      index += length
    }
  }
}
