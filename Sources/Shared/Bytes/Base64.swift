/// Base64 of RFC 4648, section 4, with padding.
public enum Base64 {
  /// Hands the characters of the encoded bytes to `put`, one after the other.
  @inlinable @inline(__always)
  public static func encode(_ bytes: UnsafeRawBufferPointer, _ put: (UInt8) -> Void) {
    var index = 0
    while index < bytes.count {
      let left = min(3, bytes.count - index)
      var group = UInt32(bytes[index]) << 16
      if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
      if left > 2 { group |= UInt32(bytes[index + 2]) }
      for place in 0..<4 {
        put(place <= left ? character(group >> (18 - 6 * UInt32(place)) & 63) : UInt8(ascii: "="))
      }
      index += 3
    }
  }

  /// As ``encode(_:_:)-(UnsafeRawBufferPointer,_)`` for the bytes of a slice.
  @inlinable @inline(__always)
  public static func encode(_ slice: ByteSlice, _ put: (UInt8) -> Void) {
    encode(UnsafeRawBufferPointer(slice.bytes), put)
  }

  public static func put(_ bytes: UnsafeRawBufferPointer, to out: inout ByteWriter) {
    out.reserve(bytes.count / 3 * 4 + 4)
    encode(bytes) { out.put($0) }
  }

  /// The character for a value below 64.
  @inlinable @inline(__always)
  internal static func character(_ value: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: value)
    switch value {
    case 0..<26: return UInt8(ascii: "A") + value
    case 26..<52: return UInt8(ascii: "a") + (value - 26)
    case 52..<62: return UInt8(ascii: "0") + (value - 52)
    case 62: return UInt8(ascii: "+")
    default: return UInt8(ascii: "/")
    }
  }

  /// The bytes of standard or URL-safe Base64 with or without padding; nil when it is neither.
  public static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var group: UInt32 = 0
    var count = 0
    for byte in text {
      if byte == UInt8(ascii: "=") { continue }
      guard let value = value(of: byte) else { return nil }
      group = group << 6 | value
      count += 1
      if count % 4 == 0 {
        result += [
          UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8),
          UInt8(truncatingIfNeeded: group),
        ]
        group = 0
      }
    }
    switch count % 4 {
    case 1: return nil
    case 2: result.append(UInt8(truncatingIfNeeded: group >> 4))
    case 3: result += [UInt8(truncatingIfNeeded: group >> 10), UInt8(truncatingIfNeeded: group >> 2)]
    default: break
    }
    return result
  }

  private static func value(of byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
