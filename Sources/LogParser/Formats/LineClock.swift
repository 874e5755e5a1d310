import Bytes

/// Completes times without a year or zone in the lines of one input, from earlier lines and from the input's last
/// change.
final class LineClock {
  /// When the input was last changed.
  let reference: Timestamp
  /// The year of the first line, if the user gave one.
  private let firstYear: Int?
  /// The latest possible year.
  private let lastYear: Int
  // Touched for each line, in one place at a time.
  @exclusivity(unchecked) private var last: Timestamp?
  @exclusivity(unchecked) private var month = MonthName.Cache()
  @exclusivity(unchecked) private var minute: Minute?
  /// A time near those of the input's lines, with a year that one of them says.
  @exclusivity(unchecked) var evidence: Timestamp? { didSet { minute = nil } }
  /// The time of the record before, where a host wrote it.
  @exclusivity(unchecked) var neighbour: Timestamp?

  /// Small backward corrections of a clock must not look like the end of summer time.
  private static let tolerance: Int64 = 10

  init(reference: Timestamp, firstYear: Int? = nil) {
    self.reference = reference
    self.firstYear = firstYear
    let seconds = reference.seconds + 86_400
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    lastYear = CivilDate(daysSince1970: days).year + 1
  }

  /// Takes the name of a month, in any language that a node may be set to, and the separator before the day.
  func takeMonth(_ scanner: inout TextScanner) -> Int? { month.take(&scanner) }

  /// The instant at which clocks in this machine's zone show `clock`. In an hour that occurs twice, it is the first of
  /// the two instants that is not before the time that was completed last.
  func instant(_ clock: LocalTime.Clock) -> Timestamp? {
    guard let time = choose(clock) else { return nil }
    last = time
    return time
  }

  private func choose(_ clock: LocalTime.Clock) -> Timestamp? {
    guard let (first, second) = LocalTime.instants(clock) else { return nil }
    guard let second, let last, first.seconds < last.seconds - Self.tolerance else { return first }
    return second
  }

  /// The instant of a clock reading without a year: the latest one that is at most a day after ``reference``. A log is
  /// not from the future, but its writer's clock may be ahead. With a first year, it is the one nearest to the last
  /// time.
  func instantWithoutYear(_ clock: LocalTime.Clock) -> Timestamp? {
    if let firstYear { return instant(clock, near: firstYear) }
    if let evidence, var time = instant(clock, after: evidence) {
      time.inferred.insert(.year)
      return time
    }
    if let time = minute?.instant(clock), neighbour.map({ !Self.areYearsApart(time, $0) }) ?? true {
      last = time
      return time
    }
    guard let (time, _) = latest(clock) else { return nil }
    if let neighbour, Self.areYearsApart(time, neighbour), learn(from: neighbour, stamped: time),
      var later = instant(clock, after: neighbour)
    {
      later.inferred.insert(.year)
      return later
    }
    keepMinute(of: clock)
    last = time
    return time
  }

  /// The latest instant of a clock without a year that is at most a day after ``reference``, and the clock with its year.
  private func latest(_ clock: LocalTime.Clock) -> (time: Timestamp, clock: LocalTime.Clock)? {
    var clock = clock
    let limit = reference.seconds + 86_400
    // February 29th may be up to eight years back.
    for year in stride(from: lastYear, through: lastYear - 9, by: -1) {
      clock.year = year
      if clock.isPossible, clock.seconds - 86_400 <= limit, var time = choose(clock), time.seconds <= limit {
        time.inferred.insert(.year)
        return (time, clock)
      }
    }
    return nil
  }

  /// A minute without a year all of whose clocks are so many seconds behind its first instant.
  private struct Minute {
    let clock: LocalTime.Clock
    let start: Timestamp

    @inline(__always)
    func instant(_ other: LocalTime.Clock) -> Timestamp? {
      guard other.minute == clock.minute, other.hour == clock.hour, other.day == clock.day,
        other.month == clock.month, other.second < 60
      else { return nil }
      var time = Timestamp(
        seconds: start.seconds + Int64(other.second), nanoseconds: other.nanoseconds,
        offsetMinutes: start.offsetMinutes)
      time.inferred = start.inferred
      return time
    }
  }

  /// Keeps the minute of a clock, which the next lines often share, unless its year or offset changes within it or it is
  /// one of an hour that is shown twice.
  private func keepMinute(of clock: LocalTime.Clock) {
    minute = nil
    var (start, end) = (clock, clock)
    (start.second, start.nanoseconds) = (0, 0)
    (end.second, end.nanoseconds) = (59, 0)
    guard let first = latest(start), let last = latest(end), last.time.seconds - first.time.seconds == 59,
      last.time.offsetMinutes == first.time.offsetMinutes, Self.isShownOnce(first.clock),
      Self.isShownOnce(last.clock)
    else { return }
    minute = Minute(clock: clock, start: first.time)
  }

  private static func isShownOnce(_ clock: LocalTime.Clock) -> Bool {
    LocalTime.instants(clock).map { $0.second == nil } ?? false
  }

  private func instant(_ clock: LocalTime.Clock, near firstYear: Int) -> Timestamp? {
    var clock = clock
    clock.year = firstYear
    guard let last else { return instant(clock) }
    return instant(clock, nearestTo: last)
  }

  /// The instant of a clock without a year that follows on a time: logs go forward, but may be put together of pieces.
  private func instant(_ clock: LocalTime.Clock, after time: Timestamp) -> Timestamp? {
    var clock = clock
    let start = time.seconds - 90 * 86_400
    let year = CivilDate(daysSince1970: start / 86_400).year
    for candidate in year...(year + 1) {
      clock.year = candidate
      guard clock.isPossible, let found = choose(clock), found.seconds >= start else { continue }
      // What is after the last writing is of an earlier year, unless that is wrong itself.
      let limit = reference.seconds + 86_400
      if found.seconds > limit, time.seconds <= limit { return nil }
      last = found
      evidence = found
      return found
    }
    return nil
  }

  /// The instant of a clock without a year that is nearest to a time.
  private func instant(_ clock: LocalTime.Clock, nearestTo time: Timestamp) -> Timestamp? {
    var clock = clock
    let year = CivilDate(daysSince1970: time.seconds / 86_400).year
    var nearest: Timestamp?
    for candidate in (year - 1)...(year + 1) {
      clock.year = candidate
      guard clock.isPossible, var found = choose(clock) else { continue }
      let distance = (found.seconds - time.seconds).magnitude
      if distance < nearest.map({ ($0.seconds - time.seconds).magnitude }) ?? .max {
        // The user has said the first one.
        if candidate != firstYear { found.inferred.insert(.year) }
        nearest = found
      }
    }
    last = nearest ?? last
    return nearest
  }
}
