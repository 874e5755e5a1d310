import Bytes
import Testing

@testable import LogParser

/// Times that say nothing of their year, in whatever zone the tests run.
struct LineClockTests {
  /// The months, days and hours as the years that they are put in.
  private func years(_ times: [(month: Int, day: Int)], written: LocalTime.Clock, from first: Int? = nil)
    -> [Int]
  {
    guard let reference = LocalTime.instant(written) else { return [] }
    let clock = LineClock(reference: reference, firstYear: first)
    return times.compactMap { month, day in
      let line = LocalTime.Clock(year: 0, month: month, day: day, hour: 12, minute: 0, second: 0)
      guard let time = clock.instantWithoutYear(line) else { return nil }
      return CivilDate(daysSince1970: (time.seconds + Int64(time.offsetMinutes) * 60) / 86_400).year
    }
  }

  private let written = LocalTime.Clock(year: 2026, month: 1, day: 2, hour: 8, minute: 0, second: 0)

  @Test func yearIsTheLatestNotAfterTheLastChange() {
    #expect(
      years([(12, 31), (1, 1), (1, 2), (1, 3), (1, 5)], written: written) == [2025, 2026, 2026, 2025, 2025])
  }

  @Test func february29thIsInTheLastLeapYear() { #expect(years([(2, 29)], written: written) == [2024]) }

  @Test func aGivenYearRollsOverAtNewYear() {
    #expect(
      years([(11, 30), (12, 31), (1, 1), (12, 31), (1, 2), (6, 1)], written: written, from: 2014)
        == [2014, 2014, 2015, 2014, 2015, 2015])
  }

  @Test(arguments: [(13, 1), (0, 1), (4, 31), (2, 30), (1, 0)])
  func impossibleDayHasNoYear(_ month: Int, _ day: Int) {
    #expect(years([(month, day)], written: written).isEmpty)
    #expect(years([(month, day)], written: written, from: 2020).isEmpty)
  }
}
