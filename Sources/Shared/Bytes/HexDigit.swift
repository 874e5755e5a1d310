/// Hexadecimal digits and their values.
public enum HexDigit {
  /// The value of a digit of either case; nil if the byte is not one.
  @inlinable @inline(__always)
  public static func value(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    default: nil
    }
  }

  /// The value of four digits; nil if there are not four, or one is not a digit.
  @inlinable public static func four(_ digits: UnsafeRawBufferPointer) -> UInt32? {
    guard digits.count == 4 else { return nil }
    var number: UInt32 = 0
    for digit in digits {
      guard let value = value(digit) else { return nil }
      number = number << 4 | value
    }
    return number
  }

  /// The digit for the low four bits of `value`.
  @inlinable @inline(__always)
  public static func character(_ value: UInt8, uppercase: Bool = false) -> UInt8 {
    let digit = value & 15
    let letter = uppercase ? UInt8(ascii: "A") - 10 : UInt8(ascii: "a") - 10
    return digit < 10 ? UInt8(ascii: "0") + digit : letter + digit
  }
}
