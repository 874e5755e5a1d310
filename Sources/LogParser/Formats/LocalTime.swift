import Bytes
import Glibc
import System

/// Times as they stand in texts that say nothing of their zone, and sometimes nothing of their year.
enum LocalTime {
  /// A date and a time of day on the clock of this machine's zone.
  struct Clock {
    var year: Int
    /// 1 to 12.
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    var nanoseconds: UInt32 = 0

    var isPossible: Bool {
      (1...12).contains(month) && day >= 1 && day <= CivilDate.days(inMonth: month, of: year) && hour < 24
        && minute < 60 && second < 61 && (0...9999).contains(year)
    }
  }

  /// The instant at which this machine's zone shows `clock`. In the hour that is shown twice it is the first one.
  static func instant(_ clock: Clock) -> Timestamp? {
    guard clock.isPossible else { return nil }
    var parts = tm()
    parts.tm_year = Int32(clock.year - 1900)
    parts.tm_mon = Int32(clock.month - 1)
    parts.tm_mday = Int32(clock.day)
    parts.tm_hour = Int32(clock.hour)
    parts.tm_min = Int32(clock.minute)
    parts.tm_sec = Int32(clock.second)
    parts.tm_isdst = -1
    let seconds = mktime(&parts)
    return Timestamp(
      seconds: Int64(seconds), nanoseconds: clock.nanoseconds,
      offsetMinutes: Int16(clamping: parts.tm_gmtoff / 60))
  }

  /// The instant of a clock without a year: the latest one that is at most a day after `reference`, the time at which
  /// the text was last written. A log is not from the future, but its writer's clock may be ahead.
  static func instantWithoutYear(_ clock: Clock, reference: Timestamp) -> Timestamp? {
    var clock = clock
    let limit = reference.seconds + 86_400
    let thisYear = CivilDate(daysSince1970: floorDays(limit)).year
    // February 29th may be up to eight years back.
    for year in stride(from: thisYear + 1, through: thisYear - 8, by: -1) {
      clock.year = year
      if let time = instant(clock), time.seconds <= limit { return time }
    }
    return nil
  }

  private static func floorDays(_ seconds: Int64) -> Int64 {
    seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
  }

  /// The current time.
  static func now() -> Timestamp {
    let now = WallClock.nanoseconds
    return Timestamp(
      seconds: Int64(now / 1_000_000_000), nanoseconds: UInt32(truncatingIfNeeded: now % 1_000_000_000))
  }
}

extension Timestamp {
  /// Reads a number of seconds, milliseconds, microseconds or nanoseconds since 1970: up to 11 digits are seconds, up
  /// to 14 milliseconds, up to 17 microseconds, up to 20 nanoseconds. Seconds may have a fraction; a number in
  /// scientific notation is one of seconds.
  static func parse(epoch text: ByteSlice) -> Timestamp? {
    var scanner = TextScanner(text)
    let isNegative = scanner.take(0x2d)
    let start = scanner.index
    guard let whole = scanner.number(1, 18) else { return nil }
    var digits = scanner.index - start
    var value = whole
    // Nanoseconds have 19 digits from 2001 on: the last one does not fit `number`.
    while let byte = scanner.next, byte &- 0x30 < 10 {
      let (scaled, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = scaled.addingReportingOverflow(Int(byte &- 0x30))
      guard !overflowed, !carried, scanner.take(byte) else { return nil }
      value = sum
      digits += 1
    }
    if let byte = scanner.next, byte | 0x20 == 0x65 || (byte == 0x2e && text.contains(0x65)) {
      return parse(floating: text)
    }
    let fraction =
      digits <= 11
      ? scanner.fraction()
      : {
        _ = scanner.fraction()
        return 0
      }()
    guard scanner.isAtEnd else { return nil }
    let perSecond = digits <= 11 ? 1 : digits <= 14 ? 1000 : digits <= 17 ? 1_000_000 : 1_000_000_000
    var time = Timestamp(
      seconds: Int64(value / perSecond),
      nanoseconds: perSecond == 1 ? fraction : UInt32(value % perSecond * (1_000_000_000 / perSecond)))
    if isNegative {
      time.seconds = -time.seconds
      if time.nanoseconds > 0 {
        time.seconds -= 1
        time.nanoseconds = 1_000_000_000 - time.nanoseconds
      }
    }
    return representableSeconds.contains(time.seconds) ? time : nil
  }

  private static func parse(floating text: ByteSlice) -> Timestamp? {
    guard text.count < 40, let value = Double(text.string), value.magnitude < 2.6e11 else { return nil }
    let whole = value.rounded(.down)
    let time = Timestamp(
      seconds: Int64(whole), nanoseconds: UInt32(min(999_999_999, (value - whole) * 1_000_000_000)))
    return representableSeconds.contains(time.seconds) ? time : nil
  }

  /// Reads a time in any form that a field may have: RFC 3339, or a number since 1970.
  static func parse(field text: ByteSlice) -> Timestamp? {
    parse(rfc3339: text.bytes, fraction: .optional) ?? parse(epoch: text)
  }
}
