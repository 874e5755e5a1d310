import Bytes

/// Recognises the prefixes that syslog daemons and `journalctl` write before a message.
///
/// - RFC 3164: `<34>Oct 11 22:14:15 host tag[pid]: text`, in files without the `<34>`; `journalctl -o short` and
///   `-o short-precise` are the same.
/// - RFC 5424: `<165>1 2003-10-11T22:14:15.003Z host app procid msgid [data] text`.
/// - `-o short-iso`, `-o short-iso-precise` and rsyslog's file format: `2026-01-01T10:00:00+0100 host tag[pid]: text`.
/// - `-o short-unix`: `1767261600.123456 host tag[pid]: text`.
/// - `-o short-full`: `Thu 2026-01-01 10:00:00 UTC host tag[pid]: text`.
enum SyslogPrefix {
  /// - Parameter reference: what a time without a year is measured by.
  static func read(_ line: ByteSlice, reference: Timestamp) -> Wrapper? {
    var scanner = TextScanner(line)
    var wrapper = Wrapper()
    if scanner.take(0x3c) {
      guard let priority = scanner.number(1, 3), priority <= 191, scanner.take(0x3e) else { return nil }
      wrapper.level = Wrapper.level(ofSeverity: priority & 7)
      if scanner.take("1 ") { return structured(&scanner, wrapper) }
      // RFC 3164 has a relay take a message without a header as it is.
      guard let time = time(&scanner, reference) else {
        wrapper.payload = scanner.rest
        return wrapper
      }
      wrapper.time = time
    } else {
      guard let time = time(&scanner, reference) else { return nil }
      wrapper.time = time
    }
    guard scanner.take(0x20), let host = scanner.word(), host[0].isWordByte, scanner.take(0x20) else {
      return nil
    }
    wrapper.host = host
    let hasTag = tag(&scanner, &wrapper)
    // Without a tag only a priority shows that the line is a message at all.
    guard hasTag || !wrapper.level.isEmpty else { return nil }
    wrapper.payload = scanner.rest
    return wrapper
  }

  private static func time(_ scanner: inout TextScanner, _ reference: Timestamp) -> Timestamp? {
    guard let first = scanner.next else { return nil }
    if first &- 0x30 < 10 {
      if let time = isoTime(&scanner) { return time }
      return unixTime(&scanner)
    }
    var attempt = scanner
    if let month = attempt.shortName(TextScanner.months), attempt.take(0x20) {
      _ = attempt.take(0x20)
      guard let day = attempt.number(1, 2), attempt.take(0x20),
        var clock = clock(&attempt, year: 0, month: month + 1, day: day)
      else { return nil }
      clock.nanoseconds = attempt.fraction()
      guard let time = LocalTime.instantWithoutYear(clock, reference: reference) else { return nil }
      scanner = attempt
      return time
    }
    return fullTime(&scanner)
  }

  private static func clock(
    _ scanner: inout TextScanner, year: Int, month: Int, day: Int
  ) -> LocalTime.Clock? {
    guard let hour = scanner.number(2, 2), scanner.take(0x3a), let minute = scanner.number(2, 2),
      scanner.take(0x3a), let second = scanner.number(2, 2)
    else { return nil }
    return LocalTime.Clock(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
  }

  private static func date(_ scanner: inout TextScanner) -> CivilDate? {
    guard let year = scanner.number(4, 4), scanner.take(0x2d), let month = scanner.number(2, 2),
      scanner.take(0x2d), let day = scanner.number(2, 2)
    else { return nil }
    return CivilDate(year: year, month: month, day: day)
  }

  /// `2026-01-01T10:00:00[.123456](Z|+0100|+01:00)`.
  private static func isoTime(_ scanner: inout TextScanner) -> Timestamp? {
    var attempt = scanner
    guard let day = date(&attempt), attempt.take(0x54) || attempt.take(0x20),
      var clock = clock(&attempt, year: day.year, month: day.month, day: day.day)
    else { return nil }
    clock.nanoseconds = attempt.fraction()
    guard clock.isPossible else { return nil }
    guard let offset = zone(&attempt) else { return nil }
    scanner = attempt
    return instant(clock, offsetMinutes: offset)
  }

  private static func zone(_ scanner: inout TextScanner) -> Int? {
    if scanner.take(0x5a) { return 0 }
    let isNegative = scanner.next == 0x2d
    guard scanner.take(0x2b) || scanner.take(0x2d), let hours = scanner.number(2, 2) else { return nil }
    _ = scanner.take(0x3a)
    guard let minutes = scanner.number(2, 2), hours < 24, minutes < 60 else { return nil }
    return (isNegative ? -1 : 1) * (hours * 60 + minutes)
  }

  private static func instant(_ clock: LocalTime.Clock, offsetMinutes: Int) -> Timestamp {
    let days = CivilDate(year: clock.year, month: clock.month, day: clock.day).daysSince1970
    let seconds = days * 86_400 + Int64(clock.hour * 3600 + clock.minute * 60 + clock.second)
    return Timestamp(
      seconds: seconds - Int64(offsetMinutes) * 60, nanoseconds: clock.nanoseconds,
      offsetMinutes: Int16(clamping: offsetMinutes))
  }

  private static func unixTime(_ scanner: inout TextScanner) -> Timestamp? {
    var attempt = scanner
    guard let word = attempt.word(), word.count >= 12, word.contains(0x2e),
      let time = Timestamp.parse(epoch: word)
    else { return nil }
    scanner = attempt
    return time
  }

  /// `Thu 2026-01-01 10:00:00 UTC`: only the name UTC and numeric offsets are known by all readers, other names are
  /// taken for this machine's zone.
  private static func fullTime(_ scanner: inout TextScanner) -> Timestamp? {
    var attempt = scanner
    guard attempt.shortName(TextScanner.weekdays) != nil, attempt.take(0x20), let day = date(&attempt),
      attempt.take(0x20), var clock = clock(&attempt, year: day.year, month: day.month, day: day.day)
    else { return nil }
    clock.nanoseconds = attempt.fraction()
    guard clock.isPossible, attempt.take(0x20), let zone = attempt.word() else { return nil }
    scanner = attempt
    return zone == "UTC" ? instant(clock, offsetMinutes: 0) : LocalTime.instant(clock)
  }

  /// `tag[pid]: ` or `tag: `.
  private static func tag(_ scanner: inout TextScanner, _ wrapper: inout Wrapper) -> Bool {
    let rest = scanner.rest
    var end = 0
    while end < min(rest.count, 256), rest[end] > 0x20, rest[end] != 0x5b, rest[end] != 0x3a { end += 1 }
    guard end > 0, end < rest.count else { return false }
    var attempt = TextScanner(rest.dropFirst(end))
    var pid = 0
    if attempt.take(0x5b) {
      guard let number = attempt.number(1, 10), attempt.take(0x5d) else { return false }
      pid = number
    }
    guard attempt.take(0x3a) else { return false }
    _ = attempt.take(0x20)
    wrapper.identifier = rest.prefix(end)
    wrapper.pid = pid
    scanner.skip(end + attempt.index)
    return true
  }

  /// What follows `<pri>1 ` in RFC 5424; nil values are `-`.
  private static func structured(_ scanner: inout TextScanner, _ start: Wrapper) -> Wrapper? {
    var wrapper = start
    guard let stamp = scanner.word(), scanner.take(0x20), let host = scanner.word(), scanner.take(0x20),
      let program = scanner.word(), scanner.take(0x20), let process = scanner.word(), scanner.take(0x20),
      scanner.word() != nil, scanner.take(0x20)
    else { return nil }
    if stamp != "-" {
      guard let time = Timestamp.parse(rfc3339: stamp.bytes) else { return nil }
      wrapper.time = time
    }
    if host != "-" { wrapper.host = host }
    if program != "-" { wrapper.identifier = program }
    wrapper.pid = DecimalNumber.parse(process) ?? 0
    guard skipStructuredData(&scanner) else { return nil }
    _ = scanner.take(0x20)
    _ = scanner.take("\u{feff}")
    wrapper.payload = scanner.rest
    return wrapper
  }

  /// `-`, or elements `[id name="value" …]` in whose values `\` escapes `"`, `\` and `]`.
  private static func skipStructuredData(_ scanner: inout TextScanner) -> Bool {
    if scanner.take(0x2d) { return true }
    guard scanner.next == 0x5b else { return false }
    while scanner.take(0x5b) {
      var isQuoted = false
      while let byte = scanner.next, isQuoted || byte != 0x5d {
        _ = scanner.take(byte)
        if byte == 0x22 { isQuoted.toggle() }
        if byte == 0x5c, isQuoted, let escaped = scanner.next { _ = scanner.take(escaped) }
      }
      guard scanner.take(0x5d) else { return false }
    }
    return true
  }
}

extension SyslogPrefix {
  /// journalctl's text has the same prefixes.
  static let detector = Detector(
    // A priority, a time that begins with a digit, a month or a weekday.
    shape: "syslog", use: .auto(orForced: [.syslog, .journalctl]), firstBytes: "<0123456789JFMASONDTW"
  ) { (line, context, record) throws(RecordProblem) in
    guard let wrapper = read(line, reference: context.reference) else { return .passed }
    return try context.claim(wrapper, &record)
  }
}
