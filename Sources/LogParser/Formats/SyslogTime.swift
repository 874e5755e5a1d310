import Bytes

/// The times that syslog daemons and `journalctl` write at the start of a line.
enum SyslogTime {
  /// The form of a time, which determines what may follow it.
  enum Form {
    /// `Mar  5 10:00:00`, in any language.
    case month
    /// One word that says its zone: RFC 3339, or seconds since 1970.
    case word
    /// `Thu 2026-03-05 10:00:00 UTC`.
    case full
  }

  static func take(_ scanner: inout TextScanner, _ clock: LineClock) -> (time: Timestamp, form: Form)? {
    guard let first = scanner.next else { return nil }
    if first.isDigit {
      if let time = scanner.zonedTime() ?? unixTime(&scanner) { return (time, .word) }
    }
    if let time = monthTime(&scanner, clock) { return (time, .month) }
    return fullTime(&scanner, clock).map { ($0, .full) }
  }

  /// `Mar  5 10:00:00`, optionally with a year after the day, and with a fraction.
  static func monthTime(_ scanner: inout TextScanner, _ clock: LineClock) -> Timestamp? {
    var attempt = scanner
    guard let month = clock.takeMonth(&attempt), let day = attempt.number(1, 2) else { return nil }
    _ = attempt.take("日") || attempt.take("일") || attempt.take(UInt8(ascii: "."))
    guard attempt.take(UInt8(ascii: " ")) else { return nil }
    var date = CivilDate(year: 0, month: month, day: day)
    var withYear = attempt
    if let year = withYear.number(4, 4), withYear.take(UInt8(ascii: " ")) {
      date.year = year
      attempt = withYear
    }
    guard let found = attempt.timeOfDay(on: date) else { return nil }
    guard let time = date.year == 0 ? clock.instantWithoutYear(found) : clock.instant(found) else {
      return nil
    }
    scanner = attempt
    return time
  }

  private static func unixTime(_ scanner: inout TextScanner) -> Timestamp? {
    var attempt = scanner
    guard let word = attempt.word(), word.count >= 12, word.contains(UInt8(ascii: ".")),
      let time = Timestamp.parse(epoch: word)
    else { return nil }
    scanner = attempt
    return time
  }

  /// Letters of any alphabet, and full stops.
  private static func isWord(_ text: ByteSlice) -> Bool {
    for byte in text.bytes where byte < 0x80 && !byte.isLetter && byte != UInt8(ascii: ".") {
      return false
    }
    return true
  }

  /// `Thu 2026-01-01 10:00:00 UTC`, with the weekday in any language.
  static func fullTime(_ scanner: inout TextScanner, _ clock: LineClock) -> Timestamp? {
    var attempt = scanner
    guard let weekday = attempt.word(), weekday.count <= 24, isWord(weekday), attempt.take(UInt8(ascii: " ")),
      let found = attempt.dayAndClock(), attempt.take(UInt8(ascii: " "))
    else { return nil }
    if let offset = attempt.offset() {
      scanner = attempt
      return found.instant(offsetMinutes: offset)
    }
    guard let zone = attempt.word() else { return nil }
    scanner = attempt
    return ZoneName.offset(of: zone).map { found.instant(offsetMinutes: $0) } ?? clock.instant(found)
  }
}

/// Short zone names that mean the same offset everywhere. Others are treated as this machine's zone.
enum ZoneName {
  private static let hours: [(name: StaticString, hours: Int)] = [
    ("UTC", 0), ("GMT", 0), ("WET", 0), ("WEST", 1), ("CET", 1), ("CEST", 2), ("EET", 2), ("EEST", 3),
    ("MSK", 3), ("EST", -5), ("EDT", -4), ("CDT", -5), ("MST", -7), ("MDT", -6), ("PST", -8), ("PDT", -7),
    ("JST", 9), ("KST", 9),
  ]

  /// Minutes east of UTC.
  static func offset(of name: ByteSlice) -> Int? {
    hours.first { name == $0.name }.map { $0.hours * 60 }
  }
}
