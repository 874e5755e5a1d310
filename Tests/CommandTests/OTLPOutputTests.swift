import Foundation
import TestSupport
import Testing

/// `--output-format otlp` through the real binary.
@Suite(.ownThreads) struct OTLPOutputTests {
  private func sample() throws -> (folder: TemporaryFolder, log: String) {
    let folder = try TemporaryFolder()
    let text = try String(contentsOfFile: Repository.path("formats/output/sample.log"), encoding: .utf8)
    return (folder, try folder.write("sample.log", text))
  }

  @Test func writesSample() throws {
    let (folder, log) = try sample()
    let result = try Tool.run(["--output-format", "otlp", log])
    let golden = try String(
      contentsOfFile: Repository.path("formats/output/otlp/sample.otlp"), encoding: .utf8)
    #expect(result.text.replacingOccurrences(of: folder.url.path, with: "") == golden)
    #expect(result.status == 0, "\(result.errorText)")
  }

  /// The bodies of the records, in order, and how many lines they are on.
  private func bodies(_ output: Data) throws -> (bodies: [String], lines: Int) {
    let lines = output.split(separator: UInt8(ascii: "\n"))
    var bodies: [String] = []
    for line in lines {
      let request = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      for resource in request?["resourceLogs"] as? [[String: Any]] ?? [] {
        for scope in resource["scopeLogs"] as? [[String: Any]] ?? [] {
          for record in scope["logRecords"] as? [[String: Any]] ?? [] {
            bodies.append((record["body"] as? [String: Any])?["stringValue"] as? String ?? "")
          }
        }
      }
    }
    return (bodies, lines.count)
  }

  private static func lines(_ count: Int) -> String {
    (0..<count).map { number in
      let time = "2026-03-05T05:\(10 + number / 60 % 50):\(String(format: "%02d", number % 60)).000000000Z"
      return
        "time=\"\(time)\" level=info msg=\"record \(number)\" name=kata pid=1 sandbox=s\(number % 7) source=runtime\n"
    }.joined()
  }

  /// In order, so that it is read in pieces by several threads; out of order; followed by nothing from a pipe.
  @Test(arguments: ["1", "4"]) func everyRecordIsThereOnce(_ threads: String) throws {
    let folder = try TemporaryFolder()
    let log = try folder.write("log", Self.lines(3000))
    for arguments in [[log], ["--reorder-window", "1s", log], ["--strict", log]] {
      let result = try Tool.run(["--output-format", "otlp", "--threads", threads] + arguments)
      #expect(result.status == 0, "\(result.errorText)")
      let found = try bodies(result.output)
      #expect(Set(found.bodies) == Set((0..<3000).map { "record \($0)" }))
      #expect(found.bodies.count == 3000)
      #expect((6...12).contains(found.lines))
    }
  }

  @Test func followedRecordsAreWrittenWhenTheInputPauses() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.write("log", Self.lines(3))
    let follower = try Follower(["--output-format", "otlp", "--follow", log])
    #expect(
      try bodies(Data(try await follower.line().utf8)).bodies.sorted() == [
        "record 0", "record 1", "record 2",
      ])
    try follower.append(
      log, "time=\"2026-03-05T06:00:00Z\" level=info msg=\"one more\" name=kata pid=1 source=runtime\n")
    #expect(try bodies(Data(try await follower.line().utf8)).bodies == ["one more"])
    #expect(follower.stop(SIGTERM) == 0)
  }

  /// A guest's own time, the time at which the runtime read it, and that of the journal.
  @Test func bothTimesAreKept() throws {
    let entry = """
      {"__REALTIME_TIMESTAMP":"1772686914500000","SYSLOG_IDENTIFIER":"kata","MESSAGE":"time=\\"2026-03-05T05:01:54.123456789Z\\" level=info msg=own name=kata pid=7 source=runtime"}
      {"__REALTIME_TIMESTAMP":"1772686914600000","SYSLOG_IDENTIFIER":"kata","MESSAGE":"no time of its own"}

      """
    let result = try Tool.run(["--output-format", "otlp", "-"], input: Data(entry.utf8))
    #expect(result.text.contains(#""timeUnixNano":"1772686914123456789","#))
    #expect(result.text.contains(#""observedTimeUnixNano":"1772686914500000000""#))
    #expect(result.text.contains(#""observedTimeUnixNano":"1772686914600000000""#))
    #expect(!result.text.contains(#""timeUnixNano":"1772686914600000000""#))
  }
}
