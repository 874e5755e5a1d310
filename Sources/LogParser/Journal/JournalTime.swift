import Bytes
import Glibc

/// Times in the syntax of journalctl's `--since` and `--until`.
/// https://www.freedesktop.org/software/systemd/man/latest/systemd.time.html
package enum JournalTime {
  /// A text that is not a time.
  package struct Problem: Error {
    package var reason: String
  }

  /// Reads a date, a time of day, both, a word (`now`, `today`, `yesterday`, `tomorrow`), a distance from now (`-1h`,
  /// `+5min`, `2 days ago`, `3h left`), seconds since 1970 (`@1767261600`) or an RFC 3339 time. Without a zone, a time
  /// is in this machine's.
  package static func parse(_ text: String, now: Timestamp) throws(Problem) -> Timestamp {
    var arena = Arena()
    let slice = arena.copy(text).trimmed
    if let time = absolute(slice, now: now) ?? relative(slice, now: now),
      Timestamp.representableSeconds.contains(time.seconds)
    {
      return time
    }
    throw Problem(
      reason:
        "\"\(text)\" is not a time: give one like \"2026-01-01 10:00\", yesterday, -1h, \"2 days ago\" or @1767261600"
    )
  }

  private static func absolute(_ text: ByteSlice, now: Timestamp) -> Timestamp? {
    if text == "now" { return now }
    if text.hasPrefix("@") { return Timestamp.parse(epoch: text.dropFirst(1)) }
    if let time = Timestamp.parse(rfc3339: text.bytes) { return time }
    for (word, days) in [("today", 0), ("yesterday", -1), ("tomorrow", 1)] as [(StaticString, Int64)]
    where text == word {
      var clock = localClock(now, shiftedBy: days)
      clock.hour = 0
      clock.minute = 0
      clock.second = 0
      clock.nanoseconds = 0
      return LocalTime.instant(clock)
    }
    return dateAndTime(text, now: now)
  }

  /// The local time some days from `time`.
  private static func localClock(_ time: Timestamp, shiftedBy days: Int64) -> LocalTime.Clock {
    var seconds = time_t(time.seconds)
    var parts = tm()
    localtime_r(&seconds, &parts)
    let today = CivilDate(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday))
    let date = CivilDate(daysSince1970: today.daysSince1970 + days)
    return LocalTime.Clock(
      year: date.year, month: date.month, day: date.day, hour: Int(parts.tm_hour),
      minute: Int(parts.tm_min), second: Int(parts.tm_sec), nanoseconds: time.nanoseconds)
  }

  /// `[Weekday] YYYY-MM-DD [HH:MM[:SS[.ffffff]]] [UTC|±HH:MM]`, or the time of day alone, which is today's.
  private static func dateAndTime(_ text: ByteSlice, now: Timestamp) -> Timestamp? {
    var scanner = TextScanner(text)
    var weekday: Int?
    if let first = scanner.next, first | 0x20 &- 0x61 < 26 {
      guard let day = scanner.shortName(TextScanner.weekdays) else { return nil }
      // The long names begin with the short ones.
      while let byte = scanner.next, byte | 0x20 &- 0x61 < 26 { scanner.skip(1) }
      _ = scanner.take(0x2c)
      scanner.skipBlanks()
      weekday = day
    }
    var clock = localClock(now, shiftedBy: 0)
    clock.hour = 0
    clock.minute = 0
    clock.second = 0
    clock.nanoseconds = 0
    var attempt = scanner
    let hasDate: Bool
    if let year = attempt.number(4, 4), attempt.take(0x2d), let month = attempt.number(1, 2),
      attempt.take(0x2d),
      let day = attempt.number(1, 2)
    {
      clock.year = year
      clock.month = month
      clock.day = day
      scanner = attempt
      hasDate = true
      if scanner.take(0x54) || scanner.take(0x20) {
        scanner.skipBlanks()
      }
    } else {
      hasDate = false
    }
    let hasTime = timeOfDay(&scanner, &clock)
    guard hasDate || hasTime, clock.isPossible else { return nil }
    if let weekday {
      let days = CivilDate(year: clock.year, month: clock.month, day: clock.day).daysSince1970
      // 1970-01-01 was a Thursday, the fourth day of the week.
      guard ((days + 3) % 7 + 7) % 7 == Int64(weekday) else { return nil }
    }
    return zoned(clock, &scanner)
  }

  private static func timeOfDay(_ scanner: inout TextScanner, _ clock: inout LocalTime.Clock) -> Bool {
    var attempt = scanner
    guard let hour = attempt.number(1, 2), attempt.take(0x3a), let minute = attempt.number(2, 2) else {
      return false
    }
    clock.hour = hour
    clock.minute = minute
    if attempt.take(0x3a) {
      guard let second = attempt.number(2, 2) else { return false }
      clock.second = second
      clock.nanoseconds = attempt.fraction()
    }
    scanner = attempt
    return true
  }

  private static func zoned(_ clock: LocalTime.Clock, _ scanner: inout TextScanner) -> Timestamp? {
    scanner.skipBlanks()
    if scanner.isAtEnd { return LocalTime.instant(clock) }
    var offset = 0
    if scanner.take("UTC") || scanner.take("Z") {
      offset = 0
    } else {
      let isNegative = scanner.next == 0x2d
      guard scanner.take(0x2b) || scanner.take(0x2d), let hours = scanner.number(2, 2) else { return nil }
      _ = scanner.take(0x3a)
      guard let minutes = scanner.number(2, 2), hours < 24, minutes < 60 else { return nil }
      offset = (isNegative ? -1 : 1) * (hours * 60 + minutes)
    }
    guard scanner.isAtEnd else { return nil }
    let days = CivilDate(year: clock.year, month: clock.month, day: clock.day).daysSince1970
    return Timestamp(
      seconds: days * 86_400 + Int64(clock.hour * 3600 + clock.minute * 60 + clock.second - offset * 60),
      nanoseconds: clock.nanoseconds, offsetMinutes: Int16(clamping: offset))
  }

  /// `-1h`, `+5min`, `1h 30min ago`, `2 days left`.
  private static func relative(_ text: ByteSlice, now: Timestamp) -> Timestamp? {
    var body = text
    var direction: Double?
    if body.hasPrefix("-") || body.hasPrefix("+") {
      direction = body[0] == 0x2d ? -1 : 1
      body = body.dropFirst(1)
    }
    for (word, sign) in [(" ago", -1), (" left", 1)] as [(StaticString, Double)] where body.hasSuffix(word) {
      guard direction == nil else { return nil }
      direction = sign
      body = body.prefix(body.count - word.utf8CodeUnitCount)
    }
    guard let direction, let span = seconds(inSpan: body) else { return nil }
    let total = span * direction
    guard total.magnitude < 1e12 else { return nil }
    let whole = total.rounded(.down)
    return Timestamp(
      seconds: now.seconds + Int64(whole), nanoseconds: now.nanoseconds, offsetMinutes: now.offsetMinutes
    )
    .advanced(byNanoseconds: Int64((total - whole) * 1e9))
  }

  /// A duration in seconds: a sequence of numbers with units; a bare number is seconds.
  private static func seconds(inSpan text: ByteSlice) -> Double? {
    var scanner = TextScanner(text)
    var total = 0.0
    var parts = 0
    scanner.skipBlanks()
    while !scanner.isAtEnd {
      guard let whole = scanner.number(1, 15) else { return nil }
      let fraction = Double(scanner.fraction()) / 1e9
      scanner.skipBlanks()
      let start = scanner.index
      while let byte = scanner.next, byte &- 0x30 >= 10, byte > 0x20, byte != 0x2e { scanner.skip(1) }
      guard let unit = seconds(ofUnit: text.slice(start, scanner.index).string) else { return nil }
      total += (Double(whole) + fraction) * unit
      parts += 1
      scanner.skipBlanks()
    }
    return parts > 0 ? total : nil
  }

  private static func seconds(ofUnit name: String) -> Double? {
    switch name {
    case "ns", "nsec": 1e-9
    case "us", "usec", "µs", "μs": 1e-6
    case "ms", "msec": 1e-3
    case "", "s", "sec", "second", "seconds": 1
    case "m", "min", "minute", "minutes": 60
    case "h", "hr", "hour", "hours": 3600
    case "d", "day", "days": 86_400
    case "w", "week", "weeks": 604_800
    case "M", "month", "months": 2_629_800
    case "y", "year", "years": 31_557_600
    default: nil
    }
  }
}
