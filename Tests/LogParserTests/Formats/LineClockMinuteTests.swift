import Bytes
import TestSupport
import Testing

@testable import LogParser

/// A minute that is remembered gives the times that are found without it.
struct LineClockMinuteTests {
  private static let written = LocalTime.Clock(year: 2026, month: 3, day: 1, hour: 8, minute: 0, second: 30)

  /// Lines that mostly share a minute, around the time at which the year changes: a day after the last writing.
  @Test(.seeded) func aMinuteIsThatOfTheLinesAlone() throws {
    var random = Seed.generator()
    let reference = try #require(LocalTime.instant(Self.written))
    let clock = LineClock(reference: reference)
    var line = LocalTime.Clock(year: 0, month: 2, day: 28, hour: 0, minute: 0, second: 0)
    for _ in 0..<20_000 {
      if random.oneIn(4) {
        line.month = random.pick([2, 3, 3, 12, 13])
        line.day = random.pick([0, 1, 2, 2, 28, 29, 31])
        line.hour = random.pick([8, 8, 23, 24])
        line.minute = random.pick([0, 0, 59, 60])
      }
      line.second = random.below(62)
      line.nanoseconds = UInt32(random.below(1_000_000_000))
      let found = clock.instantWithoutYear(line)
      let alone = LineClock(reference: reference).instantWithoutYear(line)
      #expect(found == alone && found?.offsetMinutes == alone?.offsetMinutes, "\(line)")
    }
  }
}
