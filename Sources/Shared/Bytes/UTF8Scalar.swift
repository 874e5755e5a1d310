/// UTF-8 (https://www.rfc-editor.org/rfc/rfc3629#section-4): one rule for validity, shared by all readers.
public enum UTF8Scalar {
  /// How many bytes a sequence with this first byte has; 0 when no sequence begins with it.
  @inlinable @inline(__always)
  public static func length(ofSequenceWith first: UInt8) -> Int {
    switch first {
    case 0..<0x80: 1
    case 0xc2...0xdf: 2
    case 0xe0...0xef: 3
    case 0xf0...0xf4: 4
    default: 0
    }
  }

  /// How many bytes the sequence at `index` has; 0 when it is malformed or cut off (table 3-7 of the Unicode Standard).
  @inlinable @inline(__always)
  public static func length(in bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
    precondition(index >= 0 && index < bytes.count, "index out of range")
    let first = bytes[index]
    let length = length(ofSequenceWith: first)
    if length <= 1 { return length }
    guard bytes.count - index >= length else { return 0 }
    for place in 1..<length where bytes[index + place] & 0xc0 != 0x80 { return 0 }
    let second = bytes[index + 1]
    switch first {
    // No overlong forms, no surrogates, nothing above U+10FFFF.
    case 0xe0: return second >= 0xa0 ? 3 : 0
    case 0xed: return second <= 0x9f ? 3 : 0
    case 0xf0: return second >= 0x90 ? 4 : 0
    case 0xf4: return second <= 0x8f ? 4 : 0
    default: return length
    }
  }

  /// The scalar at `index` and its length; nil and 1 when no valid sequence begins there. `index` must be under
  /// `text.count`.
  @inlinable public static func decode(_ text: ByteSlice, at index: Int) -> (Unicode.Scalar?, Int) {
    let length = length(in: UnsafeRawBufferPointer(text.bytes), at: index)
    let first = text[index]
    if length == 1 { return (Unicode.Scalar(first), 1) }
    if length == 0 { return (nil, 1) }
    var value = UInt32(first) & (0x7f >> UInt32(length))
    for offset in 1..<length { value = value << 6 | UInt32(text[index + offset] & 0x3f) }
    return (Unicode.Scalar(value), length)
  }

  /// Writes a scalar's bytes, four at most, and returns their number.
  @inlinable public static func encode(_ value: UInt32, to out: UnsafeMutablePointer<UInt8>) -> Int {
    switch value {
    case 0..<0x80:
      out[0] = UInt8(value)
      return 1
    case 0..<0x800:
      out[0] = UInt8(0xc0 | value >> 6)
      out[1] = UInt8(0x80 | value & 0x3f)
      return 2
    case 0..<0x1_0000:
      out[0] = UInt8(0xe0 | value >> 12)
      out[1] = UInt8(0x80 | value >> 6 & 0x3f)
      out[2] = UInt8(0x80 | value & 0x3f)
      return 3
    default:
      out[0] = UInt8(0xf0 | value >> 18 & 0x07)
      out[1] = UInt8(0x80 | value >> 12 & 0x3f)
      out[2] = UInt8(0x80 | value >> 6 & 0x3f)
      out[3] = UInt8(0x80 | value & 0x3f)
      return 4
    }
  }

  /// Whether all of `text` is UTF-8.
  @inlinable public static func isValid(_ text: ByteSlice) -> Bool {
    text.isPlain || UnsafeRawBufferPointer(text.bytes).isUTF8
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes are valid UTF-8.
  ///
  /// ASCII of any length is seen by loads of whole words. The last one overlaps the one before it, so that all are
  /// within the bytes.
  @inlinable public var isUTF8: Bool {
    let end = count
    var index = 0
    if end >= 8 {
      while index <= end &- 8 {
        guard highBits(at: index) == 0 else { return isUTF8(from: index) }
        index &+= 8
      }
      return highBits(at: end &- 8) == 0 || isUTF8(from: index)
    }
    if end >= 4 {
      let word =
        loadUnaligned(as: UInt32.self) | loadUnaligned(fromByteOffset: end &- 4, as: UInt32.self)
      return word & 0x8080_8080 == 0 || isUTF8(from: 0)
    }
    // Of three bytes at most, these are all.
    return end == 0 || self[0] | self[end &>> 1] | self[end &- 1] < 0x80 || isUTF8(from: 0)
  }

  /// Which of the eight bytes at `index` have their highest bit set. The caller knows that they are within these.
  @inlinable @inline(__always)
  internal func highBits(at index: Int) -> UInt64 {
    loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian & ByteLanes.highs
  }

  /// Whether the bytes from `start` on are valid UTF-8, for texts that have more than ASCII.
  @inlinable internal func isUTF8(from start: Int) -> Bool {
    var index = start
    let end = count
    while index < end {
      let left = end &- index
      // Each load is within the bytes: eight from here on, or the last eight, of which those before here do not count.
      if left >= 8 {
        let word = highBits(at: index)
        if word == 0 {
          index &+= 8
          continue
        }
        index &+= ByteLanes.first(word)
      } else if end >= 8 {
        let rest = highBits(at: end &- 8) &>> UInt64(truncatingIfNeeded: 64 &- 8 &* left)
        if rest == 0 { return true }
        index &+= ByteLanes.first(rest)
      } else if self[index] < 0x80 {
        index &+= 1
        continue
      }
      let length = UTF8Scalar.length(in: self, at: index)
      if length == 0 { return false }
      index &+= length
    }
    return true
  }
}
