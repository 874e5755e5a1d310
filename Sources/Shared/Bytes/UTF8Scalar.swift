/// Decoding one character of UTF-8 (https://www.rfc-editor.org/rfc/rfc3629#section-4).
public enum UTF8Scalar {
  /// The scalar at `index` and its length; nil and 1 when the byte begins none. `index` must be under `text.count`.
  @inlinable public static func decode(_ text: ByteSlice, at index: Int) -> (Unicode.Scalar?, Int) {
    let first = text[index]
    let left = text.count - index
    let length: Int
    let lowest: UInt32
    switch first {
    case 0..<0x80: return (Unicode.Scalar(first), 1)
    case 0xc2...0xdf: (length, lowest) = (2, 0x80)
    case 0xe0...0xef: (length, lowest) = (3, 0x800)
    case 0xf0...0xf4: (length, lowest) = (4, 0x1_0000)
    default: return (nil, 1)
    }
    guard left >= length else { return (nil, 1) }
    var value = UInt32(first) & (0x7f >> UInt32(length))
    for offset in 1..<length {
      let byte = text[index + offset]
      guard byte & 0xc0 == 0x80 else { return (nil, 1) }
      value = value << 6 | UInt32(byte & 0x3f)
    }
    guard value >= lowest, let scalar = Unicode.Scalar(value) else { return (nil, 1) }
    return (scalar, length)
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
    if text.isPlain { return true }
    var index = 0
    while index < text.count {
      if text[index] < 0x80 {
        index += 1
        continue
      }
      let (scalar, length) = decode(text, at: index)
      if scalar == nil { return false }
      index += length
    }
    return true
  }
}
