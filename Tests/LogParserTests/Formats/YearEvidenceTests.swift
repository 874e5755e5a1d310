import Bytes
import Testing

@testable import LogParser

/// The year of times that say none, where other lines of the input say it.
struct YearEvidenceTests {
  private let reference = Timestamp(seconds: 1_772_712_000)  // 2026-03-05T12:00:00Z

  private func year(_ clock: LineClock, _ month: Int, _ day: Int) -> Int? {
    let line = LocalTime.Clock(year: 0, month: month, day: day, hour: 12, minute: 0, second: 0)
    guard let time = clock.instantWithoutYear(line) else { return nil }
    return CivilDate(daysSince1970: (time.seconds + Int64(time.offsetMinutes) * 60) / 86_400).year
  }

  private func noon(_ year: Int, _ month: Int, _ day: Int) -> Timestamp {
    Timestamp(seconds: CivilDate(year: year, month: month, day: day).daysSince1970 * 86_400 + 43_200)
  }

  @Test func aCarriedRecordSaysTheYearOfItsStamp() {
    let clock = LineClock(reference: reference)
    clock.learn(from: noon(2023, 6, 20), stamped: noon(2025, 6, 20))
    #expect(year(clock, 6, 20) == 2023)
    #expect(year(clock, 12, 31) == 2023)
  }

  @Test func theYearRollsOverWithTheLines() {
    let clock = LineClock(reference: reference)
    clock.learn(from: noon(2023, 12, 30), stamped: noon(2025, 12, 30))
    #expect(year(clock, 12, 31) == 2023)
    #expect(year(clock, 1, 1) == 2024)
  }

  @Test func aRecordOfAnotherDaySaysNothing() {
    let clock = LineClock(reference: reference)
    clock.learn(from: noon(2019, 6, 20), stamped: noon(2025, 6, 23))
    #expect(year(clock, 6, 20) == 2025)
  }

  @Test func aNeighbourOfTheSameDaySaysTheYear() {
    let clock = LineClock(reference: reference)
    clock.neighbour = noon(2021, 6, 1)
    #expect(year(clock, 9, 1) == 2025)
    #expect(year(clock, 6, 1) == 2021)
  }

  @Test func theFirstLinesAreLookedThrough() {
    let clock = LineClock(reference: reference)
    let lines =
      "Jun 20 10:00:00 n a[1]: x\nJun 20 10:00:01 n b[2]: time=\"2022-06-20T10:00:01Z\" level=info\n"
    ByteSlice.withCopy(of: Array(lines.utf8)) { clock.learn(fromLines: $0) }
    #expect(year(clock, 6, 20) == 2022)
  }

  /// A guest can print anything: its time is behind other words than the program's tag.
  @Test func whatAGuestPrintsIsNotLookedThrough() {
    let clock = LineClock(reference: reference)
    let lines = "Jun 20 10:00:01 n kata[2]: vm console: \"x time=\"2012-06-20T10:00:01Z\" level=info\"\n"
    ByteSlice.withCopy(of: Array(lines.utf8)) { clock.learn(fromLines: $0) }
    #expect(year(clock, 6, 20) == 2025)
  }

  @Test func noTimeIsAfterTheLastWriting() {
    let clock = LineClock(reference: reference)
    clock.learn(from: noon(2026, 3, 4), stamped: noon(2026, 3, 4))
    #expect(year(clock, 10, 11) == 2025)
  }

  @Test func theUsersYearGoesFirst() {
    let clock = LineClock(reference: reference, firstYear: 2014)
    clock.learn(from: noon(2023, 6, 20), stamped: noon(2025, 6, 20))
    #expect(year(clock, 6, 20) == 2014)
  }
}
