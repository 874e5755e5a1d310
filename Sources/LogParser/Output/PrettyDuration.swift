import Bytes

/// Durations for people.
enum PrettyDuration {
  /// Writes a duration with its sign in a suitable unit, in at most 20 bytes.
  static func put(_ nanoseconds: Int64, sign hasSign: Bool = true, _ line: inout OutputBuffer.Cursor) {
    if hasSign { line.put(nanoseconds < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")) }
    let value = nanoseconds.magnitude
    switch value {
    case ..<1_000:
      line.put(decimal: value)
      line.put("ns")
    case ..<1_000_000:
      line.put(decimal: value / 1_000)
      line.put("us")
    case ..<1_000_000_000:
      line.put(decimal: value / 1_000_000)
      line.put(UInt8(ascii: "."))
      line.put(decimal: value / 100_000 % 10)
      line.put("ms")
    case ..<60_000_000_000:
      line.put(decimal: value / 1_000_000_000)
      line.put(UInt8(ascii: "."))
      let milliseconds = value / 1_000_000 % 1_000
      if milliseconds < 100 { line.put(UInt8(ascii: "0")) }
      if milliseconds < 10 { line.put(UInt8(ascii: "0")) }
      line.put(decimal: milliseconds)
      line.put(UInt8(ascii: "s"))
    case ..<3_600_000_000_000: put(value / 1_000_000_000, "m", 60, "s", &line)
    case ..<86_400_000_000_000: put(value / 60_000_000_000, "h", 60, "m", &line)
    default: put(value / 3_600_000_000_000, "d", 24, "h", &line)
    }
  }

  private static func put(
    _ value: UInt64, _ large: StaticString, _ ratio: UInt64, _ small: StaticString,
    _ line: inout OutputBuffer.Cursor
  ) {
    line.put(decimal: value / ratio)
    line.put(large)
    line.put(decimal: value % ratio)
    line.put(small)
  }
}
