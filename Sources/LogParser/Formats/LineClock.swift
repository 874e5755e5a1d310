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
  private var last: Timestamp?
  private var month = MonthName.Cache()

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
    var clock = clock
    let limit = reference.seconds + 86_400
    // February 29th may be up to eight years back.
    for year in stride(from: lastYear, through: lastYear - 9, by: -1) {
      clock.year = year
      if clock.isPossible, clock.seconds - 86_400 <= limit, let time = choose(clock), time.seconds <= limit {
        last = time
        return time
      }
    }
    return nil
  }

  private func instant(_ clock: LocalTime.Clock, near firstYear: Int) -> Timestamp? {
    var clock = clock
    clock.year = firstYear
    guard let last else { return instant(clock) }
    let year = CivilDate(daysSince1970: last.seconds / 86_400).year
    var nearest: Timestamp?
    for candidate in (year - 1)...(year + 1) {
      clock.year = candidate
      guard let time = choose(clock) else { continue }
      let distance = (time.seconds - last.seconds).magnitude
      if distance < nearest.map({ ($0.seconds - last.seconds).magnitude }) ?? .max { nearest = time }
    }
    self.last = nearest ?? last
    return nearest
  }
}
