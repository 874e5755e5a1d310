import TestSupport
import Testing

@testable import Bytes

struct TimestampTests {
  private func parse(_ text: String, _ rule: Timestamp.FractionRule = .required) -> Timestamp? {
    Array(text.utf8).withUnsafeBufferPointer { Timestamp.parse(rfc3339: $0, fraction: rule) }
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00.0Z", 0, 0), ("2022-02-03T08:05:22.123456789Z", 1_643_875_522, 123_456_789),
    ("2022-02-03T08:05:22.5+05:30", 1_643_855_722, 500_000_000),
    ("0001-01-01T00:00:00.1Z", -62_135_596_800, 100_000_000),
    ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
    ("2024-02-29T00:00:00,25-23:59", 1_709_251_140, 250_000_000),
  ])
  func parsesTimesWithAFraction(_ text: String, seconds: Int64, nanoseconds: UInt32) throws {
    let time = try #require(parse(text))
    #expect(time.seconds == seconds)
    #expect(time.nanoseconds == nanoseconds)
  }

  @Test(arguments: [
    "", "2022-02-03T08:05:22Z", "2022-13-03T08:05:22.1Z", "2022-02-30T08:05:22.1Z", "2022-02-03t08:05:22.1Z",
    "2022-02-03T08:05:22.1z", "2022-02-03T08:05:60.1Z", "2022-02-03T24:05:00.1Z",
    "2022-02-03T08:05:22.1234567890Z",
    "2022-02-03T08:05:22.1", "2022-02-03T08:05:22.1+2400", "2022-02-03T08:05:22.1+24:00",
    "2023-02-29T00:00:00.1Z",
    "2022-02-03T08:05:22.1Z ", "+022-02-03T08:05:22.1Z", "2022-02-03T08:05:22.Z",
  ])
  func refusesWhatIsNotATime(_ text: String) { #expect(parse(text) == nil) }

  @Test(arguments: ["2022-02-03 08:05:22z", "2022-02-03t08:05:22.1234567891Z", "2022-02-03T08:05:22+01:00"])
  func acceptsLooserTimesWhereTheFractionIsOptional(_ text: String) { #expect(parse(text, .optional) != nil) }

  @Test func writesWhatItReads() throws {
    var generator = SplitMix64(state: 7)
    for _ in 0..<2_000 {
      let seconds = Int64.random(in: Timestamp.representableSeconds, using: &generator)
      let offset = Int16.random(in: -1439...1439, using: &generator)
      guard Timestamp.representableSeconds.contains(seconds + Int64(offset) * 60) else { continue }
      let time = Timestamp(
        seconds: seconds, nanoseconds: UInt32.random(in: 0..<1_000_000_000, using: &generator),
        offsetMinutes: offset)
      let again = try #require(parse(time.rfc3339, .optional))
      #expect(again == time && again.offsetMinutes == offset, "\(time.rfc3339)")
    }
  }

  @Test func civilDatesAgreeWithTheirDayNumbers() {
    for days in stride(from: Int64(-719_528), to: 2_932_896, by: 97) {
      #expect(CivilDate(daysSince1970: days).daysSince1970 == days)
    }
    #expect(CivilDate(daysSince1970: 19_782) == CivilDate(year: 2024, month: 2, day: 29))
  }

  @Test func differencesAreClamped() {
    let first = Timestamp(seconds: -62_135_596_800)
    let last = Timestamp(seconds: 253_402_300_799)
    #expect(last.nanoseconds(since: first) == .max)
    #expect(first.nanoseconds(since: last) == .min)
    #expect(
      Timestamp(seconds: 5, nanoseconds: 1).nanoseconds(since: Timestamp(seconds: 4, nanoseconds: 2))
        == 999_999_999)
  }
}
