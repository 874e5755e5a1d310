/// RFC 3339 with a fraction, as Go's and Rust's loggers write it.
/// https://www.rfc-editor.org/rfc/rfc3339#section-5.6
extension Timestamp {
  /// What a fraction of a second must look like.
  public enum FractionRule: Sendable {
    /// One to nine digits after a full stop or a comma: the rule of the Go tool.
    case required
    /// None, or any number of digits; those beyond the ninth are dropped.
    case optional
  }

  /// Reads a whole RFC 3339 time; `nil` when `text` is anything else.
  ///
  /// The separator is `T`; with an optional fraction also `t` or a space, and `z` is read as `Z`. An offset is at
  /// most 23:59.
  public static func parse(
    rfc3339 text: UnsafeBufferPointer<UInt8>, fraction rule: FractionRule = .optional
  ) -> Timestamp? {
    guard text.count >= 20, let base = text.baseAddress else { return nil }
    // Each read below is at an index under 20, or guarded by `index < text.count`.
    guard base[4] == 0x2d, base[7] == 0x2d, base[13] == 0x3a, base[16] == 0x3a else { return nil }
    if base[10] != 0x54 {
      guard rule == .optional, base[10] == 0x74 || base[10] == 0x20 else { return nil }
    }
    // Each pair is 0 to 99, or `bad` gets its highest bit.
    var bad: UInt32 = 0
    let century = pair(base, &bad)
    let yearOfCentury = pair(base + 2, &bad)
    let month = pair(base + 5, &bad)
    let day = pair(base + 8, &bad)
    let hour = pair(base + 11, &bad)
    let minute = pair(base + 14, &bad)
    let second = pair(base + 17, &bad)
    guard bad >> 31 == 0 else { return nil }
    let year = Int(century * 100 + yearOfCentury)
    guard hour < 24, minute < 60, second < 60, day >= 1,
      day <= 28 || Int(day) <= CivilDate.days(inMonth: Int(month), of: year), month >= 1, month <= 12
    else { return nil }

    var index = 19
    var nanoseconds: UInt32 = 0
    if base[19] == 0x2e || base[19] == 0x2c {
      index = 20
      var digits = 0
      // Loggers write nine digits; the first eight of them are read at once, where as many are there.
      if text.count >= 30, let eight = DecimalDigits.parse(base + 20) {
        nanoseconds = eight
        digits = 8
        index = 28
      }
      while index < text.count, case let digit = base[index] &- 0x30, digit < 10 {
        if digits < 9 { nanoseconds = nanoseconds * 10 + UInt32(digit) }
        digits += 1
        index += 1
      }
      guard digits >= 1, rule == .optional || digits <= 9 else { return nil }
      while digits < 9 {
        nanoseconds *= 10
        digits += 1
      }
    } else if rule == .required {
      return nil
    }
    guard let offset = offsetMinutes(text, from: index, rule) else { return nil }
    let days = CivilDate(year: year, month: Int(month), day: Int(day)).daysSince1970
    let local = days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    return Timestamp(seconds: local - Int64(offset) * 60, nanoseconds: nanoseconds, offsetMinutes: offset)
  }

  private static func offsetMinutes(
    _ text: UnsafeBufferPointer<UInt8>, from index: Int, _ rule: FractionRule
  ) -> Int16? {
    guard index < text.count, let base = text.baseAddress else { return nil }
    let sign = base[index]
    if sign == 0x5a || (sign == 0x7a && rule == .optional) { return index + 1 == text.count ? 0 : nil }
    guard sign == 0x2b || sign == 0x2d, text.count == index + 6, base[index + 3] == 0x3a else { return nil }
    var bad: UInt32 = 0
    let hours = pair(base + index + 1, &bad)
    let minutes = pair(base + index + 4, &bad)
    // The Go tool treats sixty minutes as one more hour.
    guard bad >> 31 == 0, minutes < 60 || (rule == .required && minutes == 60) else { return nil }
    let offset = Int16(hours * 60 + minutes)
    guard offset < 24 * 60 else { return nil }
    return sign == 0x2d ? -offset : offset
  }

  /// The number that two digits write. If one is not a digit, the highest bit of `bad` is set.
  @inline(__always)
  private static func pair(_ p: UnsafePointer<UInt8>, _ bad: inout UInt32) -> UInt32 {
    let tens = UInt32(p[0]) &- 0x30
    let ones = UInt32(p[1]) &- 0x30
    bad |= tens | (9 &- tens) | ones | (9 &- ones)
    return tens &* 10 &+ ones
  }

  /// The greatest number of bytes that `write(rfc3339:)` and `write(text:)` produce.
  public static let maximumLength = 48

  /// Writes the instant in its own offset with as few fraction digits as keep it (`2022-02-03T08:05:22.5Z`), or
  /// with nine when they are not to be trimmed, and returns the number of bytes. `out` must have room for
  /// `maximumLength`.
  public func write(rfc3339 out: UnsafeMutablePointer<UInt8>, trimmed: Bool = true) -> Int {
    var count = writeDateTime(out, separator: 0x54, trimmed: trimmed)
    if offsetMinutes == 0 {
      out[count] = 0x5a
      return count + 1
    }
    count += writeOffset(out + count, colon: true)
    return count
  }

  /// Writes the instant as Go's `Time.String` does (`2022-02-03 08:05:22.5 +0000 UTC`) and returns the number of
  /// bytes. `out` must have room for `maximumLength`.
  public func write(text out: UnsafeMutablePointer<UInt8>) -> Int {
    var count = writeDateTime(out, separator: 0x20)
    // The offset, then the zone's name; a zone without a name is named by its offset.
    out[count] = 0x20
    count += 1
    count += writeOffset(out + count, colon: false)
    out[count] = 0x20
    count += 1
    if offsetMinutes == 0 {
      for byte in "UTC".utf8 {
        out[count] = byte
        count += 1
      }
    } else {
      count += writeOffset(out + count, colon: false)
    }
    return count
  }

  /// The instant as `write(rfc3339:)` writes it.
  public var rfc3339: String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.maximumLength) { buffer in
      guard let base = buffer.baseAddress else { return "" }
      return String(decoding: UnsafeBufferPointer(start: base, count: write(rfc3339: base)), as: UTF8.self)
    }
  }

  private func writeDateTime(
    _ out: UnsafeMutablePointer<UInt8>, separator: UInt8, trimmed: Bool = true
  ) -> Int {
    let bounds = Self.representableSeconds
    let local = min(
      max(seconds &+ Int64(offsetMinutes) * 60, bounds.lowerBound), bounds.upperBound - 1)
    let days = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
    let rest = Int(local - days * 86_400)
    let date = CivilDate(daysSince1970: days)
    Self.writeTwo(out, date.year / 100)
    Self.writeTwo(out + 2, date.year % 100)
    out[4] = 0x2d
    Self.writeTwo(out + 5, date.month)
    out[7] = 0x2d
    Self.writeTwo(out + 8, date.day)
    out[10] = separator
    Self.writeTwo(out + 11, rest / 3_600)
    out[13] = 0x3a
    Self.writeTwo(out + 14, rest / 60 % 60)
    out[16] = 0x3a
    Self.writeTwo(out + 17, rest % 60)
    return Self.writeFraction(nanoseconds, trimmed: trimmed, out)
  }

  private func writeOffset(_ out: UnsafeMutablePointer<UInt8>, colon: Bool) -> Int {
    let minutes = Int(offsetMinutes.magnitude)
    out[0] = offsetMinutes < 0 ? 0x2d : 0x2b
    Self.writeTwo(out + 1, minutes / 60)
    var count = 3
    if colon {
      out[count] = 0x3a
      count += 1
    }
    Self.writeTwo(out + count, minutes % 60)
    return count + 2
  }

  private static func writeTwo(_ out: UnsafeMutablePointer<UInt8>, _ value: Int) {
    out[0] = UInt8(truncatingIfNeeded: 0x30 + value / 10)
    out[1] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
  }
}
