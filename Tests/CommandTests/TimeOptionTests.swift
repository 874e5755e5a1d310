import Foundation
import TestSupport
import Testing

/// `--year` and `--timezone`, and the zone's clock changes.
@Suite(.ownThreads) struct TimeOptionTests {
  private func times(_ lines: [String], _ arguments: [String], zone: String = "UTC") throws -> [String] {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("messages")
    try Data(lines.map { "\($0) h kata[1]: words\n" }.joined().utf8).write(to: file)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_772_755_200)], ofItemAtPath: file.path)
    let result = try Tool.run(
      arguments + ["--output-format", "ndjson", "--fields", "time", file.path], environment: ["TZ": zone])
    #expect(result.status == 0, "\(result.errorText)")
    return result.text.split(separator: "\n").map { String($0.dropFirst(9).dropLast(2)) }
  }

  @Test func aGivenYearIsThatOfTheFirstLine() throws {
    #expect(
      try times(["Dec 31 23:00:00", "Jan  1 01:00:00"], ["--year", "2014"])
        == ["2014-12-31T23:00:00Z", "2015-01-01T01:00:00Z"])
  }

  @Test(arguments: [
    ("Europe/Berlin", "2026-03-05T10:00:00+01:00"), ("+05:30", "2026-03-05T10:00:00+05:30"),
    ("-0800", "2026-03-05T10:00:00-08:00"), ("UTC", "2026-03-05T10:00:00Z"),
  ])
  func aGivenZoneIsThatOfTimesWithoutOne(_ zone: String, _ expected: String) throws {
    #expect(try times(["Mar  5 10:00:00"], ["--timezone", zone], zone: "Asia/Tokyo") == [expected])
  }

  @Test func repeatedHourIsReadInOrder() throws {
    #expect(
      try times(["Oct 26 02:59:58", "Oct 26 02:00:01", "Oct 26 02:30:00"], [], zone: "Europe/Berlin") == [
        "2025-10-26T02:59:58+02:00", "2025-10-26T02:00:01+01:00", "2025-10-26T02:30:00+01:00",
      ])
  }

  @Test func zoneAppliesToEarlierOptions() throws {
    let lines = ["Mar  5 10:00:00", "Mar  5 12:00:00"]
    #expect(
      try times(lines, ["--since", "2026-03-05 11:00:00", "--timezone=Asia/Tokyo"]) == [
        "2026-03-05T12:00:00+09:00"
      ])
  }

  @Test(arguments: ["Mars/Phobos", "", "/etc/localtime", "../UTC", "+25", "+1:99", "Europe"])
  func anUnknownZoneIsRefused(_ zone: String) throws {
    let result = try Tool.run(["--timezone", zone, "/dev/null"], environment: [:])
    #expect(result.status == 2)
    #expect(result.errorText.contains("is not a time zone in"))
  }
}
