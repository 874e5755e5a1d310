/// An instant with nanosecond precision and the UTC offset it was written with.
///
/// Only the point in time is compared; the offset only decides how an instant is shown. The range is the years 0 to
/// 9999 of the proleptic Gregorian calendar, as in RFC 3339.
public struct Timestamp: Sendable {
  /// Whole seconds since 1970-01-01T00:00:00Z, negative before it.
  public var seconds: Int64
  /// Nanoseconds after `seconds`, 0 to 999,999,999.
  public var nanoseconds: UInt32
  /// Minutes east of UTC, as written in the source; 0 for UTC.
  public var offsetMinutes: Int16
  /// What of the instant its text does not say. It is no part of the instant: two are equal whatever was inferred of them.
  public var inferred: Inferred

  /// What a reader can add to a text that does not say the whole of an instant.
  public struct Inferred: OptionSet, Sendable {
    public let rawValue: UInt8
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let year = Inferred(rawValue: 1)
    /// The offset from UTC.
    public static let zone = Inferred(rawValue: 2)
    /// Which of two, in an hour that clocks show twice.
    public static let hour = Inferred(rawValue: 4)
    /// The text says how long ago the instant was.
    public static let age = Inferred(rawValue: 8)
    /// All of these.
    @inlinable
    public static var all: Inferred { Inferred(rawValue: 15) }
  }

  @inlinable
  public init(seconds: Int64, nanoseconds: UInt32 = 0, offsetMinutes: Int16 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
    self.offsetMinutes = offsetMinutes
    // A default at the property would be a call from other modules.
    inferred = Inferred(rawValue: 0)
  }

  /// Creates an instant from microseconds since 1970, the journal's and Jaeger's unit.
  public init(microseconds: UInt64) {
    self.init(
      seconds: Int64(microseconds / 1_000_000), nanoseconds: UInt32(microseconds % 1_000_000) * 1_000)
  }

  /// The first instant of the year 1, which the Go tool treats as "no time".
  public static let unset = Timestamp(seconds: -62_135_596_800)

  /// The seconds of the first instant of year 0 and of the first one after year 9999.
  public static let representableSeconds: Range<Int64> = -62_167_219_200..<253_402_300_800

  @inlinable
  public var isUnset: Bool { seconds == -62_135_596_800 && nanoseconds == 0 }

  /// Nanoseconds from `earlier` to this instant, clamped to the range of `Int64` (292 years).
  @inlinable
  public func nanoseconds(since earlier: Timestamp) -> Int64 {
    let (difference, overflowed) = seconds.subtractingReportingOverflow(earlier.seconds)
    let fraction = Int64(nanoseconds) - Int64(earlier.nanoseconds)
    let (scaled, tooLarge) = difference.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carried) = scaled.addingReportingOverflow(fraction)
    if overflowed || tooLarge || carried { return difference < 0 ? .min : .max }
    return sum
  }

  /// This instant moved by `nanoseconds`, which may be negative.
  public func advanced(byNanoseconds delta: Int64) -> Timestamp {
    let total = Int64(self.nanoseconds) + delta % 1_000_000_000
    let carry: Int64 = total < 0 ? -1 : total >= 1_000_000_000 ? 1 : 0
    return Timestamp(
      seconds: seconds &+ delta / 1_000_000_000 &+ carry,
      nanoseconds: UInt32(total - carry * 1_000_000_000), offsetMinutes: offsetMinutes)
  }
}

extension Timestamp: Comparable {
  @inlinable
  public static func == (a: Timestamp, b: Timestamp) -> Bool {
    a.seconds == b.seconds && a.nanoseconds == b.nanoseconds
  }

  @inlinable
  public static func < (a: Timestamp, b: Timestamp) -> Bool {
    a.seconds != b.seconds ? a.seconds < b.seconds : a.nanoseconds < b.nanoseconds
  }
}

/// A day of the proleptic Gregorian calendar.
public struct CivilDate: Equatable, Sendable {
  public var year: Int
  /// 1 to 12.
  public var month: Int
  /// 1 to 31.
  public var day: Int

  public init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The date that is `days` after 1970-01-01, by the algorithm of Howard Hinnant's "chrono-compatible low-level
  /// date algorithms" (eras of 400 years, years that begin in March).
  public init(daysSince1970 days: Int64) {
    let shifted = days &+ 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
  }

  public var daysSince1970: Int64 {
    let shiftedYear = Int64(month <= 2 ? year - 1 : year)
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let shiftedMonth = Int64(month > 2 ? month - 3 : month + 9)
    let dayOfYear = (153 * shiftedMonth + 2) / 5 + Int64(day) - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  public static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  /// The number of days of a month, or 0 if there is no such month.
  public static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    case 1...12: 31
    default: 0
    }
  }
}
