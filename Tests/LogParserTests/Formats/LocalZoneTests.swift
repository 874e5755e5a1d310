import Bytes
import Glibc
import TestSupport
import Testing

@testable import LogParser

struct LocalZoneTests {
  /// What libc makes of a clock in the zone of the tests.
  private func libcInstant(_ clock: LocalTime.Clock) -> Int64 {
    var parts = tm()
    parts.tm_year = Int32(clock.year - 1900)
    parts.tm_mon = Int32(clock.month - 1)
    parts.tm_mday = Int32(clock.day)
    parts.tm_hour = Int32(clock.hour)
    parts.tm_min = Int32(clock.minute)
    parts.tm_sec = Int32(clock.second)
    parts.tm_isdst = -1
    return Int64(mktime(&parts))
  }

  @Test(.seeded) func theTableSaysWhatLibcSays() {
    var random = Seed.generator()
    for _ in 0..<2000 {
      let clock = LocalTime.Clock(
        year: Int.random(in: 1971...2068, using: &random), month: Int.random(in: 1...12, using: &random),
        day: Int.random(in: 1...28, using: &random), hour: Int.random(in: 5...22, using: &random),
        minute: Int.random(in: 0...59, using: &random), second: Int.random(in: 0...59, using: &random))
      #expect(LocalTime.instant(clock)?.seconds == libcInstant(clock), "\(clock)")
    }
  }

  @Test(arguments: [1, 1900, 1969, 1970, 2069, 2070, 2500, 9998])
  func yearsBeyondTheTableAreRead(_ year: Int) {
    let clock = LocalTime.Clock(year: year, month: 7, day: 1, hour: 12, minute: 0, second: 0)
    #expect(LocalTime.instant(clock)?.seconds == libcInstant(clock))
  }

  @Test(arguments: [
    ("2026-03-05T05:01:56Z", 1_772_686_916), ("2026-03-05 05:01:56Z", 1_772_686_916),
    ("2026-03-05_05:01:56+0800", 1_772_658_116), ("2026-03-05T05:01:56+08", 1_772_658_116),
    ("2026-03-05 05:01:56 UTC", 1_772_686_916), ("2026-03-05 05:01:56 +0000 UTC", 1_772_686_916),
    ("2026-03-05 05:01:56.5 +0100 CET m=+0.5", 1_772_683_316), ("1772686916", 1_772_686_916),
    ("1772686916.25", 1_772_686_916), ("1772686916000", 1_772_686_916),
  ])
  func timesNearRFC3339AreRead(_ text: String, _ seconds: Int64) {
    var arena = Arena()
    #expect(Timestamp.parse(field: arena.copy(text))?.seconds == seconds)
  }

  @Test(arguments: [
    "", "2026-03-05", "2026-03-05T05:01", "2026-13-05T05:01:56Z", "2026-03-05T05:01:56Zx",
    "2026-03-05T25:01:56Z",
    "2026-03-05T05:01:56+2500", "2026-03-05 05:01:56 tomorrow", "yesterday", "2026/03-05 05:01:56",
  ])
  func otherTextsAreNotTimes(_ text: String) {
    var arena = Arena()
    #expect(Timestamp.parse(field: arena.copy(text)) == nil)
  }

  @Test func aTimeWithoutAZoneIsThisMachines() {
    var arena = Arena()
    let clock = LocalTime.Clock(year: 2026, month: 3, day: 5, hour: 12, minute: 1, second: 56)
    for text in ["2026-03-05 12:01:56", "2026-03-05T12:01:56.0", "2026/03/05 12:01:56"] {
      #expect(Timestamp.parse(field: arena.copy(text)) == LocalTime.instant(clock))
    }
  }
}
