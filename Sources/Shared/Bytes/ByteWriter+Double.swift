extension ByteWriter {
  /// Puts a finite number in the fewest digits that preserve it, in the form of JSON and Rust's ryu: `1.0`, `0.001`,
  /// `1e16`, `1.5e-7`.
  public mutating func put(json value: Double) {
    let decimal = ShortestDecimal(value)
    if value.sign == .minus { put(0x2d) }
    let digits = decimal.count
    let exponent = decimal.exponent
    let point = digits + exponent
    if exponent >= 0, point <= 16 {
      put(decimal, 0..<digits)
      for _ in 0..<exponent { put(0x30) }
      put(".0")
    } else if point > 0, point <= 16 {
      put(decimal, 0..<point)
      put(0x2e)
      put(decimal, point..<digits)
    } else if point > -5, point <= 0 {
      put("0.")
      for _ in 0..<(-point) { put(0x30) }
      put(decimal, 0..<digits)
    } else {
      put(decimal.digit(0))
      if digits > 1 {
        put(0x2e)
        put(decimal, 1..<digits)
      }
      put(0x65)
      put(decimal: Int64(point - 1))
    }
  }

  private mutating func put(_ decimal: ShortestDecimal, _ range: Range<Int>) {
    for index in range { put(decimal.digit(index)) }
  }
}

/// The fewest digits that preserve a number's magnitude: digits × 10^exponent, without leading and trailing zeros,
/// except `0` for zero.
struct ShortestDecimal {
  /// A number has at most 17 significant digits; the standard library's text adds a few zeros.
  private var digits = InlineArray<24, UInt8>(repeating: 0x30)
  private(set) var count = 0
  private(set) var exponent = 0

  init(_ value: Double) {
    var end = 0
    var places = 0
    var isFraction = false
    var isExponent = false
    var power = 0
    var isNegativePower = false
    // The standard library's text is the shortest one: digits, a point, and an exponent.
    for byte in value.magnitude.description.utf8 {
      switch byte {
      case 0x30...0x39 where isExponent: power = power * 10 + Int(byte - 0x30)
      case 0x30...0x39:
        // Leading zeros are dropped.
        if end == 0, byte == 0x30 {
          if isFraction { places += 1 }
        } else if end < 24 {
          digits[end] = byte
          end += 1
          if isFraction { places += 1 }
        }
      case 0x2e: isFraction = true
      case 0x2d: isNegativePower = true
      case 0x65: isExponent = true
      default: break
      }
    }
    exponent = (isNegativePower ? -power : power) - places
    while end > 1, digits[end - 1] == 0x30 {
      end -= 1
      exponent += 1
    }
    if end == 0 {
      end = 1
      exponent = 0
    }
    count = end
  }

  /// The character of a digit; `index` is below ``count``.
  func digit(_ index: Int) -> UInt8 { digits[index] }
}
