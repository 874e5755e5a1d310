import Bytes
import Glibc
import System

/// Times in texts that have no zone, and sometimes no year.
enum LocalTime {
  /// A date and a time of day in this machine's zone.
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

    /// Seconds since 1970 as if the clock were UTC's.
    var seconds: Int64 {
      CivilDate(year: year, month: month, day: day).daysSince1970 * 86_400
        + Int64(hour * 3600 + minute * 60 + second)
    }

    /// The instant of this clock reading in a zone with this offset east of UTC; the reading must be valid.
    func instant(offsetMinutes: Int) -> Timestamp {
      Timestamp(
        seconds: seconds - Int64(offsetMinutes) * 60, nanoseconds: nanoseconds,
        offsetMinutes: Int16(clamping: offsetMinutes))
    }
  }

  /// The instant at which clocks in this machine's zone show `clock`; the first one in an hour that occurs twice.
  static func instant(_ clock: Clock) -> Timestamp? { instants(clock)?.first }

  /// As ``instant(_:)``, with the second instant in an hour that occurs twice.
  static func instants(_ clock: Clock) -> (first: Timestamp, second: Timestamp?)? {
    guard clock.isPossible else { return nil }
    guard let found = LocalZone.current.instants(showing: clock.seconds) else {
      return (farInstant(clock), nil)
    }
    let inferred: Timestamp.Inferred = found.second == nil ? .zone : [.zone, .hour]
    return (
      timestamp(found.first, clock.nanoseconds, inferred),
      found.second.map { timestamp($0, clock.nanoseconds, inferred) }
    )
  }

  private static func timestamp(
    _ instant: LocalZone.Instant, _ nanoseconds: UInt32, _ inferred: Timestamp.Inferred
  ) -> Timestamp {
    var time = Timestamp(
      seconds: instant.seconds, nanoseconds: nanoseconds, offsetMinutes: Int16(clamping: instant.offset / 60))
    time.inferred = inferred
    return time
  }

  /// An instant in a year that the zone's table does not cover.
  private static func farInstant(_ clock: Clock) -> Timestamp {
    var parts = tm()
    parts.tm_year = Int32(clock.year - 1900)
    parts.tm_mon = Int32(clock.month - 1)
    parts.tm_mday = Int32(clock.day)
    parts.tm_hour = Int32(clock.hour)
    parts.tm_min = Int32(clock.minute)
    parts.tm_sec = Int32(clock.second)
    parts.tm_isdst = -1
    let seconds = Int64(mktime(&parts))
    let offset = Int64(parts.tm_gmtoff)
    return timestamp(LocalZone.Instant(seconds: seconds, offset: offset), clock.nanoseconds, .zone)
  }

  /// The current time.
  static func now() -> Timestamp {
    let now = WallClock.nanoseconds
    return Timestamp(
      seconds: Int64(now / 1_000_000_000), nanoseconds: UInt32(truncatingIfNeeded: now % 1_000_000_000))
  }
}
