import Bytes

extension Timestamp {
  /// Reads a number of seconds, milliseconds, microseconds or nanoseconds since 1970: up to 11 digits are seconds, up
  /// to 14 milliseconds, up to 17 microseconds, up to 20 nanoseconds. Seconds may have a fraction; a number in
  /// scientific notation means seconds.
  static func parse(epoch text: ByteSlice) -> Timestamp? {
    var scanner = TextScanner(text)
    let isNegative = scanner.take(0x2d)
    let start = scanner.index
    guard let whole = scanner.number(1, 18) else { return nil }
    var digits = scanner.index - start
    var value = whole
    // Nanoseconds have 19 digits from 2001 on: the last one does not fit `number`.
    while let byte = scanner.next, byte.isDigit {
      let (scaled, overflowed) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = scaled.addingReportingOverflow(Int(byte - 0x30))
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

  /// Reads a time in any form that a field may have: RFC 3339 and its variants, or a number since 1970.
  static func parse(field text: ByteSlice) -> Timestamp? {
    parse(rfc3339: text.bytes, fraction: .optional) ?? parse(near3339: text) ?? parse(epoch: text)
  }

  /// Reads the variants of RFC 3339 that loggers and people write: `/` in the date, no fraction, a blank or `_` for the
  /// `T`, `+0800`, ` UTC`, Go's ` +0000 UTC m=+0.1`. Without a zone it is a time of this machine's.
  private static func parse(near3339 text: ByteSlice) -> Timestamp? {
    var scanner = TextScanner(text.trimmed)
    let clock: LocalTime.Clock
    if let found = scanner.dayAndClock() {
      clock = found
    } else {
      guard let day = scanner.date(separator: UInt8(ascii: "/")), scanner.take(UInt8(ascii: " ")),
        let found = scanner.timeOfDay(on: day), found.isPossible
      else { return nil }
      clock = found
    }
    let offset = looseOffset(&scanner)
    if scanner.take(" m=") { _ = scanner.word() }
    guard scanner.isAtEnd else { return nil }
    return offset.map { clock.instant(offsetMinutes: $0) } ?? LocalTime.instant(clock)
  }

  private static func looseOffset(_ scanner: inout TextScanner) -> Int? {
    if scanner.take("UTC") || scanner.take("GMT") { return 0 }
    if let offset = scanner.offset() { return offset }
    var attempt = scanner
    guard attempt.take(UInt8(ascii: " ")) else { return nil }
    if attempt.take("UTC") || attempt.take("GMT") {
      scanner = attempt
      return 0
    }
    guard let offset = attempt.offset() else { return nil }
    scanner = attempt
    // The zone's name after the offset adds nothing.
    if attempt.take(UInt8(ascii: " ")), let name = attempt.word(), name.count <= 5, !name.contains(0x3d) {
      scanner = attempt
    }
    return offset
  }
}
