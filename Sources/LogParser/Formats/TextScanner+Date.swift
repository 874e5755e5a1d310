import Bytes

/// Dates and times as loggers write them at the beginning of a line.
extension TextScanner {
  /// Takes `YYYY-MM-DD[T ]HH:MM:SS`, with or without a fraction and a zone, which may have a blank before it; without one
  /// the time is this machine's.
  mutating func anyTime() -> Timestamp? { dateAndTime(separator: UInt8(ascii: "-")) }

  /// Takes `YYYY/MM/DD HH:MM:SS` with or without a fraction, the time of Go's log package.
  mutating func slashedDateAndTime() -> Timestamp? { dateAndTime(separator: UInt8(ascii: "/")) }

  private mutating func dateAndTime(separator: UInt8) -> Timestamp? {
    var attempt = self
    guard let year = attempt.number(4, 4), attempt.take(separator), let month = attempt.number(2, 2),
      attempt.take(separator), let day = attempt.number(2, 2),
      attempt.take(UInt8(ascii: "T")) || attempt.take(UInt8(ascii: " ")),
      let hour = attempt.number(2, 2), attempt.take(UInt8(ascii: ":")),
      let minute = attempt.number(2, 2), attempt.take(UInt8(ascii: ":")),
      let second = attempt.number(2, 2)
    else { return nil }
    let clock = LocalTime.Clock(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second,
      nanoseconds: attempt.fraction())
    guard clock.isPossible else { return nil }
    let time: Timestamp?
    if let offset = attempt.zone() {
      let days = CivilDate(year: year, month: month, day: day).daysSince1970
      let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second)
      time = Timestamp(
        seconds: seconds - Int64(offset) * 60, nanoseconds: clock.nanoseconds,
        offsetMinutes: Int16(clamping: offset))
    } else {
      time = LocalTime.instant(clock)
    }
    if time != nil { self = attempt }
    return time
  }

  /// Takes `Z`, `UTC`, `+HH`, `+HHMM` or `+HH:MM`, with or without a blank before it, as minutes.
  private mutating func zone() -> Int? {
    var attempt = self
    _ = attempt.take(UInt8(ascii: " "))
    var minutes = 0
    if !attempt.take(UInt8(ascii: "Z")), !attempt.take("UTC") {
      let isNegative = attempt.next == UInt8(ascii: "-")
      guard attempt.take(UInt8(ascii: "+")) || attempt.take(UInt8(ascii: "-")),
        let hours = attempt.number(2, 2), hours < 24
      else { return nil }
      minutes = hours * 60
      var rest = attempt
      _ = rest.take(UInt8(ascii: ":"))
      if let more = rest.number(2, 2), more < 60 {
        minutes += more
        attempt = rest
      }
      if isNegative { minutes = -minutes }
    }
    // A letter or digit behind it makes it a word.
    if let byte = attempt.next, byte.isWordByte { return nil }
    self = attempt
    return minutes
  }

  /// Takes the bytes up to one that is given, and that one too; nil when it does not come, or a blank comes before it.
  mutating func word(upTo end: UInt8) -> ByteSlice? {
    let text = rest
    guard let stop = text.firstIndex(of: end), stop > 0 else { return nil }
    let word = text.prefix(stop)
    if word.contains(UInt8(ascii: " ")) { return nil }
    skip(stop + 1)
    return word
  }
}

extension UInt8 {
  /// A letter, a digit or an underscore.
  var isWordByte: Bool {
    isDigit || isLetter || self == UInt8(ascii: "_")
  }
}
