import Bytes

extension TextScanner {
  /// Takes `2026-01-01`, or the same with another byte than `-`.
  mutating func date(separator: UInt8 = UInt8(ascii: "-")) -> CivilDate? {
    var attempt = self
    guard let year = attempt.number(4, 4), attempt.take(separator), let month = attempt.number(2, 2),
      attempt.take(separator), let day = attempt.number(2, 2)
    else { return nil }
    self = attempt
    return CivilDate(year: year, month: month, day: day)
  }

  /// Takes `10:00:00` and a fraction behind it.
  mutating func timeOfDay(on day: CivilDate) -> LocalTime.Clock? {
    var attempt = self
    guard let hour = attempt.number(2, 2), attempt.take(UInt8(ascii: ":")), let minute = attempt.number(2, 2),
      attempt.take(UInt8(ascii: ":")), let second = attempt.number(2, 2)
    else { return nil }
    let clock = LocalTime.Clock(
      year: day.year, month: day.month, day: day.day, hour: hour, minute: minute, second: second,
      nanoseconds: attempt.fraction())
    self = attempt
    return clock
  }

  /// Takes a date and a time of day with `T`, `_` or a blank between them.
  mutating func dayAndClock() -> LocalTime.Clock? {
    var attempt = self
    guard let day = attempt.date(),
      attempt.take(UInt8(ascii: "T")) || attempt.take(UInt8(ascii: " ")) || attempt.take(UInt8(ascii: "t"))
        || attempt.take(UInt8(ascii: "_")),
      let clock = attempt.timeOfDay(on: day), clock.isPossible
    else { return nil }
    self = attempt
    return clock
  }

  /// Takes `Z`, `+01`, `+0100` or `+01:00`, as minutes east of UTC.
  mutating func offset() -> Int? {
    if take(UInt8(ascii: "Z")) || take(UInt8(ascii: "z")) { return 0 }
    var attempt = self
    let isNegative = attempt.next == UInt8(ascii: "-")
    guard attempt.take(UInt8(ascii: "+")) || attempt.take(UInt8(ascii: "-")), let hours = attempt.number(2, 2)
    else { return nil }
    let colon = attempt.take(UInt8(ascii: ":"))
    let minutes = attempt.number(2, 2)
    guard minutes != nil || !colon, hours < 24, minutes ?? 0 < 60 else { return nil }
    self = attempt
    return (isNegative ? -1 : 1) * (hours * 60 + (minutes ?? 0))
  }

  /// Takes a date, a time of day and a zone that is part of the same word.
  mutating func zonedTime() -> Timestamp? {
    var attempt = self
    guard let clock = attempt.dayAndClock(), let offset = attempt.offset() else { return nil }
    self = attempt
    return clock.instant(offsetMinutes: offset)
  }
}
