import Bytes

/// Decimal integers as Go's `strconv.Atoi` reads them: an optional sign, then digits, within 64 bits.
enum DecimalNumber {
  @inline(__always)
  static func parse(_ text: ByteSlice) -> Int? {
    if let short = parseShort(text) { return short }
    var index = 0
    var isNegative = false
    if let first = text.bytes.first, first == 0x2b || first == 0x2d {
      isNegative = first == 0x2d
      index = 1
    }
    guard index < text.count else { return nil }
    var value = 0
    while index < text.count {
      let digit = text[index] &- 0x30
      guard digit < 10 else { return nil }
      let (scaled, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) =
        isNegative
        ? scaled.subtractingReportingOverflow(Int(digit)) : scaled.addingReportingOverflow(Int(digit))
      if tooLarge || carried { return nil }
      value = sum
      index += 1
    }
    return value
  }

  /// A number of one to eight digits without a sign; nil means only that this fast path does not apply.
  @inline(__always)
  private static func parseShort(_ text: ByteSlice) -> Int? {
    guard text.count &- 1 < 8, text.count > 0 else { return nil }
    // The slice and its padding have at least eight bytes. Leading zeros replace whatever follows the digits.
    let word = text.leadingWord
    let bits = UInt64(truncatingIfNeeded: text.count &* 8)
    let zeros = bits == 64 ? 0 : 0x3030_3030_3030_3030 &>> bits
    return DecimalDigits.parse(word &<< (64 &- bits) | zeros).map { Int($0) }
  }
}
