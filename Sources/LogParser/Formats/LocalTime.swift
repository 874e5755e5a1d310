import Bytes
import System
import Glibc

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
