import Foundation
import TestSupport
import Testing

/// OTLP logs to a receiver that reads with OpenTelemetry's own classes, and has every fault of a collector: no record is
/// lost, and a copy can be told by its `log.record.uid`.
@Suite(.ownThreads) struct OTLPFaultTests {
  /// A run of so many records, of which each names its number.
  private static func log(_ numbers: Range<Int>, _ folder: TemporaryFolder) throws -> String {
    try folder.write(
      "log",
      numbers.map {
        "time=\"2026-03-05T05:01:54.\(String(format: "%09d", $0))Z\" level=info msg=\"record \($0).\" name=kata pid=1 sandbox=s source=runtime\n"
      }.joined())
  }

  private func receiver(_ faults: [String], token: String? = nil) throws -> ScriptPeer {
    try ScriptPeer(
      "otlp-receiver", environment: "venv",
      (token.map { ["--token", $0] } ?? []) + faults.flatMap { ["--fault", $0] })
  }

  private static func endpoint(_ peer: ScriptPeer) -> String { "http://127.0.0.1:\(peer.port)" }

  /// A fault, and what it leads to. The run has 600 records, which are two requests.
  struct Row: CustomTestStringConvertible, Sendable {
    var faults: [String]
    var options: [String] = []
    /// Whether a request is stored twice.
    var doubles = false
    /// Requests that arrive; not told where they are too many to say.
    var requests: Int?
    /// What the run says.
    var words = ""

    var testDescription: String { (faults + options).joined(separator: " ") }
  }

  static let rows = [
    Row(faults: [], requests: 2), Row(faults: [], options: ["--gzip"], requests: 2),
    Row(faults: ["status=429,1@1"], requests: 3, words: "answered 429"),
    Row(faults: ["status=503@1", "status=503,1@2"], requests: 4, words: "answered 503"),
    Row(faults: ["status=502@1", "status=504@2"], requests: 4, words: "answered 502"),
    Row(faults: ["status=408@2"], requests: 3, words: "answered 408"),
    Row(faults: ["status=500@1"], requests: 3, words: "read the collector's log"),
    Row(faults: ["status=401,1@1-2"], requests: 4, words: "check the credentials and --otlp-header"),
    Row(faults: ["status=403,1@2"], requests: 3, words: "check the credentials and --otlp-header"),
    Row(faults: ["status=404,1@1"], requests: 3, words: "check the path of the URL"),
    Row(faults: ["status=307,1@1"], requests: 3, words: "redirects are not followed"),
    Row(faults: ["slow=0.3"], requests: 2),
    Row(faults: ["slow=2@1"], options: ["--ack-timeout", "1s"], doubles: true, requests: 3),
    Row(faults: ["close-first@1"], requests: 3), Row(faults: ["close-last@1"], doubles: true, requests: 3),
    Row(faults: ["close-answer@2"], doubles: true, requests: 3),
    Row(faults: ["http10"], requests: 2), Row(faults: ["chunked"], requests: 2),
    Row(faults: ["chunked", "warning=mind the gap"], requests: 2, words: "mind the gap"),
    Row(faults: ["continue"], requests: 2),
    Row(faults: ["http10", "close-last@2"], doubles: true, requests: 3),
    Row(faults: ["refuse-over=100"]), Row(faults: ["refuse-over=1@1-3"]),
    Row(faults: ["no-gzip"], options: ["--gzip"], requests: 3),
    Row(faults: ["no-gzip", "refuse-over=300"], options: ["--gzip"]),
  ]

  @Test(arguments: rows)
  func nothingIsLostWhateverTheReceiverDoes(_ row: Row) throws {
    let peer = try receiver(row.faults)
    let folder = try TemporaryFolder()
    let log = try Self.log(0..<600, folder)
    let result = try Tool.run(
      ["--endpoint", Self.endpoint(peer), "--stats", "--ack-timeout", "30s"] + row.options + [log])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.errorText.contains("\"acknowledged\":600"), "\(result.errorText)")
    #expect(row.words.isEmpty || result.errorText.contains(row.words), "\(result.errorText)")
    #expect(!peer.log.contains { $0.hasPrefix("bad") }, "\(peer.log)")
    if let requests = row.requests {
      #expect(peer.log.filter { $0.hasPrefix("request") }.count == requests, "\(peer.log)")
    }
    let stored = try peer.objects()
    #expect(Set(stored.compactMap { $0["body"] as? String }) == Set((0..<600).map { "record \($0)." }))
    #expect((stored.count > 600) == row.doubles)
    // A store that keeps one record for each uid has none twice.
    #expect(Set(stored.compactMap { $0["uid"] as? String }).count == 600)
    if row.doubles {
      let first = Dictionary(grouping: stored) { $0["request"] as? Int ?? 0 }
      let bodies = first.values.map { $0.compactMap { $0["body"] as? String } }
      #expect(Set(bodies).count == bodies.count - 1, "one whole request is there twice")
    }
  }

  /// What a receiver takes and throws away is told, once, and ends the run with 1.
  @Test func partialSuccessIsToldAndNotRepeated() throws {
    let peer = try receiver(["partial=3@1"])
    let folder = try TemporaryFolder()
    let result = try Tool.run(["--endpoint", Self.endpoint(peer), "--stats", Self.log(0..<600, folder)])
    #expect(result.status == 1)
    #expect(result.errorText.contains("rejected 3 records: too old"), "\(result.errorText)")
    #expect(result.errorText.contains("\"acknowledged\":597"))
    #expect(peer.log.filter { $0.hasPrefix("request") }.count == 2)
    #expect(peer.stored.count == 597)
  }

  /// A token that the receiver does not know yet: the records wait, and the place in the input with them.
  @Test func recordsWaitForTheTokenToBeMended() throws {
    let peer = try receiver(["status=401,1@1-3"], token: "secret-token")
    let folder = try TemporaryFolder()
    let headers = try folder.write("headers", "Authorization: Bearer secret-token\n")
    chmod(headers, 0o600)
    let errors = folder.path("errors")
    let run = try PipedRun(
      [
        "--endpoint", Self.endpoint(peer), "--otlp-header-file", headers, "--set-aside", folder.path("aside"),
        "--stats", Self.log(0..<100, folder),
      ], errors: errors)
    #expect(run.status() == 0)
    #expect(peer.log.filter { $0.hasPrefix("request") }.count == 4)
    #expect(peer.stored.count == 100)
    let text = try String(contentsOfFile: errors, encoding: .utf8)
    #expect(text.contains("answered 401"))
    #expect(!text.contains("secret-token"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("aside")))
  }

  /// As long as the receiver refuses everything, no record is to blame. Once it takes the others, the one is set aside.
  @Test func poisonIsSetAsideOnlyAfterAnotherRecordIsTaken() throws {
    let peer = try receiver(["status=400@1-8", "refuse-text=record 17."])
    let folder = try TemporaryFolder()
    let aside = folder.path("aside")
    let errors = folder.path("errors")
    let run = try PipedRun(
      [
        "--endpoint", Self.endpoint(peer), "--set-aside", aside, "--stats", Self.log(0..<40, folder),
      ], errors: errors)
    let didRefuse = run.waits {
      // The 8th request is answered at the latest when the 9th comes: by then the first record was refused alone, twice or more.
      let count = peer.log.filter { $0.hasPrefix("request") }.count
      if count <= 8 { #expect(!FileManager.default.fileExists(atPath: aside)) }
      return count > 8 || !run.isRunning
    }
    #expect(didRefuse)
    #expect(run.status() == 1)
    let lines = try String(contentsOfFile: aside, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1)
    let text = try String(contentsOfFile: errors, encoding: .utf8)
    #expect(text.contains("\"set_aside\":1") && text.contains("\"acknowledged\":39"), "\(text)")
    // Told when everything is refused, and when one record is, alone. Other halves are sent at once: nothing waits.
    #expect(text.matches(of: /records (wait|are waiting)/).count == 2, "\(text)")
    let stored = try peer.objects().compactMap { $0["body"] as? String }
    #expect(stored.count == 39 && !stored.contains("record 17."))
    #expect(Set(stored).count == 39)
  }

  /// A web server at a wrong port answers 200 to anything.
  @Test func pageOfHTMLIsNoAcknowledgement() throws {
    let peer = try receiver(["html=1@1-2"])
    let folder = try TemporaryFolder()
    let result = try Tool.run(["--endpoint", Self.endpoint(peer), "--stats", Self.log(0..<20, folder)])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(peer.stored.count == 20)
    #expect(result.errorText.contains("answered 200 with a web page"), "\(result.errorText)")
    #expect(result.errorText.contains("check that a collector is at this URL"))
  }
}
