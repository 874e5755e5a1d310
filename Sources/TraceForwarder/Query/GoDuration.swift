/// Durations as Go writes and reads them: `1.5ms`, `2h45m`. Not the durations of options (``FlagValue``): these are
/// what Jaeger's API reads and writes, where `m` is minutes, a number needs a unit, and several may follow one another.
enum GoDuration {
  static func text(_ nanoseconds: Int64) -> String {
    if nanoseconds == 0 { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    if value < 1000 { return "\(sign)\(value)ns" }
    if value < 1_000_000 { return "\(sign)\(fraction(value, 1000))µs" }
    if value < 1_000_000_000 { return "\(sign)\(fraction(value, 1_000_000))ms" }
    let minutes = value / 60_000_000_000
    let seconds = fraction(value % 60_000_000_000, 1_000_000_000) + "s"
    if minutes == 0 { return sign + seconds }
    return minutes < 60 ? "\(sign)\(minutes)m\(seconds)" : "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
  }

  private static func fraction(_ value: UInt64, _ unit: UInt64) -> String {
    let rest = value % unit
    if rest == 0 { return String(value / unit) }
    let width = String(unit).utf8.count - 1
    var digits = String(rest)
    digits = String(repeating: "0", count: width - digits.utf8.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(value / unit).\(digits)"
  }

  /// Go's units. Days are what lookbacks have besides.
  private static let units: [String: UInt64] = [
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000, "d": 86_400_000_000_000,
  ]

  /// Nanoseconds, at most those of an `Int64`; nil if it is not a duration, or is negative.
  static func parse(_ text: String, days: Bool = false) -> UInt64? {
    var rest = text[...]
    if rest.first == "+" { rest.removeFirst() }
    if rest == "0" { return 0 }
    var total: UInt64 = 0
    if rest.isEmpty { return nil }
    while !rest.isEmpty {
      let number = rest.prefix { $0 == "." || $0.isASCII && $0.isNumber }
      let unit = rest.dropFirst(number.count).prefix { $0 != "." && !$0.isNumber }
      guard let factor = units[String(unit)], days || unit != "d", let value = scaled(number, by: factor)
      else { return nil }
      let (sum, isOver) = total.addingReportingOverflow(value)
      guard !isOver, sum <= UInt64(Int64.max) else { return nil }
      total = sum
      rest = rest.dropFirst(number.count + unit.count)
    }
    return total
  }

  /// A decimal number of a unit: exact, what is finer than a nanosecond cut off.
  private static func scaled(_ number: Substring, by factor: UInt64) -> UInt64? {
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, !number.isEmpty, number != ".",
      let whole = UInt64(parts[0].isEmpty ? "0" : parts[0])
    else {
      return nil
    }
    var (total, isOver) = whole.multipliedReportingOverflow(by: factor)
    var place = factor
    for digit in parts.count > 1 ? parts[1].utf8.prefix(20) : "".utf8.prefix(0) {
      // Whole digits of the unit's decimal places first: 1.5h is not tens of nanoseconds.
      let value = UInt64(digit - 0x30)
      let (share, remainder) = (value * (place / 10), value * (place % 10) / 10)
      let (sum, isMore) = total.addingReportingOverflow(share + remainder)
      total = sum
      isOver = isOver || isMore
      place /= 10
    }
    return isOver ? nil : total
  }
}
