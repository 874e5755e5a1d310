import Foundation
import TestSupport
import Testing

/// What of a record's time its line does not say is marked, in every format for machines.
@Suite(.ownThreads) struct InferredMarkTests {
  private func read(_ lines: [String], _ arguments: [String], zone: String = "UTC") throws -> Tool.Result {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("messages")
    try Data(lines.map { "\($0)\n" }.joined().utf8).write(to: file)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_772_755_200)], ofItemAtPath: file.path)
    return try Tool.run(arguments + [file.path], environment: ["TZ": zone])
  }

  /// The marks of each record.
  private func marks(_ lines: [String], _ arguments: [String] = [], zone: String = "UTC") throws -> [String] {
    let result = try read(lines, ["--output-format", "ndjson"] + arguments, zone: zone)
    return try result.text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return object?["kata-log-parser-inferred"] as? String ?? ""
    }
  }

  @Test(arguments: [
    // Neither a year nor a zone; the record inside has both.
    ("Mar  5 10:00:00 h kata[1]: words", "time-year,time-zone"),
    ("Mar  5 10:00:00 h kata[1]: time=\"2026-03-05T10:00:00Z\" level=info msg=m", ""),
    ("Mar  5 2026 10:00:00 h kata[1]: words", "time-zone"),
    ("I0305 05:01:54.123456       1 a.go:1] hello", "time-year,time-zone"),
    ("Mar 05 10:45:56.789 INFO words", "time-year,time-zone"),
    // A zone is missing, or is a name that many have.
    ("2026/03/05 10:00:00 [adaptor/proxy] words", "time-zone"),
    ("[2026-03-05 10:00:00 INFO a::b] words", "time-zone"),
    ("time=\"2026-03-05 10:00:00\" level=info msg=m", "time-zone"),
    ("{\"time\":\"2026-03-05 10:00:00\",\"level\":\"info\",\"msg\":\"m\"}", "time-zone"),
    ("Thu 2026-03-05 10:00:00 CST h kata[1]: words", "time-zone"),
    ("[Thu Mar  5 10:21:37 2026] kernel words", "time-zone"),
    // All is said.
    ("Thu 2026-03-05 10:00:00 UTC h kata[1]: words", ""), ("2026-03-05T10:00:00Z stdout F words", ""),
    ("2026-03-05T10:00:00+0100 h kata[1]: words", ""), ("time=\"2026-03-05T10:00:00Z\" level=info msg=m", ""),
    ("2m10s   Normal   Started   pod/web-0   m", "time-age"),
  ])
  func whatALineDoesNotSayIsMarked(_ line: String, _ expected: String) throws {
    #expect(try marks([line]) == [expected])
  }

  @Test func aRolledOverYearIsMarkedWhateverTheFirstIs() throws {
    let lines = ["Dec 31 23:00:00 h kata[1]: a", "Jan  1 01:00:00 h kata[1]: b"]
    #expect(try marks(lines) == ["time-year,time-zone", "time-year,time-zone"])
    #expect(try marks(lines, ["--year", "2014", "--timezone", "UTC"]) == ["", "time-year"])
  }

  @Test func theHourThatIsShownTwiceIsMarked() throws {
    let lines = ["Oct 26 01:59:58", "Oct 26 02:59:58", "Oct 26 02:00:01"].map { "\($0) h kata[1]: a" }
    #expect(
      try marks(lines, zone: "Europe/Berlin") == [
        "time-year,time-zone", "time-year,time-zone,time-hour", "time-year,time-zone,time-hour",
      ])
    #expect(try marks(lines, ["--timezone", "UTC", "--year", "2025"]) == ["", "", ""])
  }

  @Test func anInheritedTimeIsNoMoreThanThat() throws {
    let marked = try marks(["Mar  5 10:00:00 h kata[1]: a", "kata[2]: b", "words"])
    #expect(marked.first == "time-year,time-zone" && !marked.dropFirst().joined().contains("-"), "\(marked)")
  }

  @Test(arguments: ["json", "csv", "toml", "xml", "yaml", "text", "logfmt"])
  func everyFormatForMachinesHasTheMark(_ format: String) throws {
    let arguments = ["--lenient", "--output-format", format]
    let text = try read(["Mar  5 10:00:00 h kata[1]: words"], arguments).text
    #expect(text.contains("kata-log-parser-inferred") && text.contains("time-year,time-zone"), "\(text)")
    // A file of the runtime's own lines takes another way.
    let pairs = try read(["time=\"2026-03-05 10:00:00\" level=info msg=m"], arguments).text
    #expect(pairs.contains("kata-log-parser-inferred") && pairs.contains("time-zone"), "\(pairs)")
    let stated = try read(["2026-03-05T10:00:00Z h kata[1]: words"], arguments).text
    #expect(!stated.contains("inferred"), "\(stated)")
  }

  @Test(arguments: [1, 2])
  func theMarkIsThatOfAnyWayThroughTheTool(_ threads: Int) throws {
    let sorted = (0..<50).map { "Mar  5 10:00:\(String(format: "%02d", $0)) h kata[1]: a" }
    for lines in [sorted, sorted.reversed()] {
      let marked = try marks(lines, ["--threads", "\(threads)"])
      #expect(marked == Array(repeating: "time-year,time-zone", count: 50))
    }
  }

  @Test func anExplanationSaysWhatWasInferredAndFromWhat() throws {
    let line = ["Oct 26 02:59:58 h kata[1]: words"]
    let text = try read(line, ["--explain", "1"], zone: "Europe/Berlin").text
    #expect(text.contains("has no year") && text.contains("names no zone"), "\(text)")
    #expect(text.contains("showed this hour twice"), "\(text)")
    let events = try read(["2m10s   Normal   Started   pod/web-0   m"], ["--explain", "1"]).text
    #expect(events.contains("counted back") && events.contains("kubectl-events"), "\(events)")
  }
}
