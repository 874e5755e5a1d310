extension UInt8 {
  /// Whether the byte is one of the digits 0 to 9.
  @inlinable @inline(__always)
  public var isDigit: Bool { self &- UInt8(ascii: "0") < 10 }

  /// Whether the byte is one of the letters A to Z and a to z.
  @inlinable @inline(__always)
  public var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }

  /// Whether the byte is one of the letters A to Z.
  @inlinable @inline(__always)
  public var isUpper: Bool { self &- UInt8(ascii: "A") < 26 }

  /// Whether the byte is one of the letters a to z.
  @inlinable @inline(__always)
  public var isLower: Bool { self &- UInt8(ascii: "a") < 26 }
}
