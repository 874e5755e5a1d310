/// Numeric option values.
package enum FlagValue {
  package static func number(_ text: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int {
    guard let value = Int(text), range.contains(value) else {
      throw UsageError("\"\(text)\" is not a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// Bytes, with K, M or G for powers of 1024.
  package static func size(_ text: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int {
    var digits = text[...]
    var shift = 0
    if let unit = digits.last, let place = "KMG".firstIndex(of: Character(unit.uppercased())) {
      shift = 10 * ("KMG".distance(from: "KMG".startIndex, to: place) + 1)
      digits = digits.dropLast()
    }
    guard let value = Int(digits), value >= 0, value <= Int.max >> shift, range.contains(value << shift)
    else {
      throw UsageError(
        "\"\(text)\" is not a size from \(range.lowerBound >> 10)K to \(range.upperBound >> 20)M")
    }
    return value << shift
  }

  /// A duration in nanoseconds: a number with `ns`, `us`, `ms`, `s`, `min`, `h` or `d`; a bare number means seconds. At
  /// most this many days.
  package static func duration(_ text: String, days: Int = 1) throws(UsageError) -> Int64 {
    let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    let unit: Double? =
      switch text.dropFirst(digits.count) {
      case "ns": 1
      case "us": 1e3
      case "ms": 1e6
      case "s", "": 1e9
      case "m", "min": 60e9
      case "h": 3600e9
      case "d": 86_400e9
      default: nil
      }
    guard let unit, let value = Double(digits), value * unit <= 86_400e9 * Double(days) else {
      throw UsageError(
        "\"\(text)\" is not a duration of at most \(days == 1 ? "a day" : "\(days) days"), such as 500ms, 2s or 1min"
      )
    }
    return Int64(value * unit)
  }
}
