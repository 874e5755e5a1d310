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
      if let time = goTime(&scanner) { return (time, .word) }
    } else if first.isLetter, scanner.rest.peek(3) != 0x20, !isBeforeNumber(scanner.rest) {
      return nil
    }
    if let time = monthTime(&scanner, clock) { return (time, .month) }
    if let time = fullTime(&scanner, clock) { return (time, .full) }
    return centralTime(&scanner, clock).map { ($0, .full) }
  }

  /// `2026-03-05 10:00:00 +0000 UTC`, as Go prints a time, with the blank and the zone's name behind it.
  private static func goTime(_ scanner: inout TextScanner) -> Timestamp? {
    guard scanner.rest.peek(19) == UInt8(ascii: " ") || scanner.rest.peek(19) == UInt8(ascii: ".") else {
      return nil
    }
    var attempt = scanner
    guard let clock = attempt.dayAndClock(), attempt.take(UInt8(ascii: " ")), let offset = attempt.offset(),
      attempt.take(UInt8(ascii: " ")), let zone = attempt.word(), zone.count <= 5,
      zone.bytes.allSatisfy({ $0.isUpper })
    else { return nil }
    scanner = attempt
    return clock.instant(offsetMinutes: offset)
  }

  /// `Thu Mar  5 10:00:00 2026`, as C's `ctime` writes a time; OpenWrt's logread begins its lines so.
  private static func centralTime(_ scanner: inout TextScanner, _ clock: LineClock) -> Timestamp? {
    var attempt = scanner
    // Nearly no line comes so far: look at one byte first.
    guard scanner.rest.peek(3) == UInt8(ascii: " "), attempt.shortName(TextScanner.weekdays) != nil,
      attempt.take(UInt8(ascii: " ")),
      let month = attempt.shortName(TextScanner.months)
    else { return nil }
    attempt.skipBlanks()
    guard let day = attempt.number(1, 2), attempt.take(UInt8(ascii: " ")),
      var found = attempt.timeOfDay(on: CivilDate(year: 0, month: month + 1, day: day)),
      attempt.take(UInt8(ascii: " ")), let year = attempt.number(4, 4)
    else { return nil }
    found.year = year
    guard found.isPossible, let time = clock.instant(found) else { return nil }
    scanner = attempt
    return time
  }

  /// Whether the first word may be the name of a month or of a weekday: a number stands behind it. Most words are none.
  private static func isBeforeNumber(_ text: ByteSlice) -> Bool {
    var index = 1
    while index <= nameLimit, text.peek(index) > 0x20, !text.peek(index).isDigit { index += 1 }
    // An English month of three letters, and a full stop behind it, may stand right before the day.
    if index < 3 && text.peek(index).isDigit { return false }
    while text.peek(index) == 0x20 || text.peek(index) == 0x09 { index += 1 }
    return text.peek(index).isDigit
  }

  /// More bytes than the name of a month or a weekday has in any language.
  private static let nameLimit = 32

  /// `Mar  5 10:00:00`, with a year behind the day where a daemon writes one, and with a fraction.
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
