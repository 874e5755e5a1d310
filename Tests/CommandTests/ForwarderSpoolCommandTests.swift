import Bytes
import Foundation
import TestSupport
import Testing
import TraceForwarder
import Tracing

/// `kata-trace-forwarder spool`: beside a running forwarder, without one, and over damage.
@Suite(.ownThreads) struct ForwarderSpoolCommandTests {
  private func run(_ arguments: [String]) throws -> Tool.Result {
    try Tool.run(ForwarderProcess.path, ["spool"] + arguments)
  }

  private func json(_ result: Tool.Result) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
  }

  /// A forwarder with 30 spans of two traces that wait, for nobody takes them.
  private func fill(_ folder: TemporaryFolder, _ port: UInt16) throws -> ForwarderProcess {
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause",
        "20ms",
        "--stop-timeout", "100ms",
      ], in: folder)
    let agent = try LocalSocket(path: forwarder.agentSocket)
    try agent.write(Frames.spans(trace: 1, 1..<21) + Frames.spans(trace: 2, 1..<11))
    agent.endWriting()
    try forwarder.waitForSpans(30)
    return forwarder
  }

  private func setAside(_ spool: String, _ ids: Range<UInt64>) throws {
    let losses = LossLedger(log: .silent)
    let aside = SetAside(directory: "\(spool)/set-aside", maximumSize: 1 << 20, losses: losses)
    for id in ids {
      var span = Span()
      span.traceID = TraceID(9)
      span.spanID = SpanID(id)
      span.name = span.intern("refused")
      span.setResource("service.name", "kata-agent")
      var payload = ByteWriter()
      OTLPProtobuf.encode(span, to: &payload)
      try aside.add(payload.bytes, exporter: "otlp", status: 400, reason: "the span has no sense")
    }
  }

  private var wanted: [SpanName] {
    (1..<21).map { Frames.name(trace: 1, span: $0) } + (1..<11).map { Frames.name(trace: 2, span: $0) }
  }

  @Test(arguments: [true, false])
  func spansThatWaitAreListedVerifiedAndExported(_ isRunning: Bool) throws {
    let folder = try TemporaryFolder()
    let forwarder = try fill(folder, try Rotel.freePort())
    if !isRunning { #expect(forwarder.stop() == 1) }
    let spool = folder.url.appendingPathComponent("spool").path
    let list = try json(try run(["list", "--json", spool]))
    let segments = try #require(list["segments"] as? [[String: Any]])
    #expect(segments.count == 1 && segments[0]["spans"] as? Int == 30 && segments[0]["version"] as? Int == 2)
    let exporters = try #require(list["exporters"] as? [[String: Any]])
    #expect(exporters.map { $0["name"] as? String } == ["otlp"])
    #expect(exporters[0]["waiting_spans"] as? Int == 30)
    let text = try run(["list", spool]).text
    #expect(
      text.contains("30 spans") && text.contains("otlp: 30 spans wait") && text.contains("set aside: 0 spans")
    )

    let verified = try run(["verify", "--spool-dir", spool])
    #expect(verified.status == 0 && verified.text == "30 spans in 1 file are good, 0 places damaged\n")

    let lines = try run(["export", spool])
    #expect(lines.status == 0 && lines.errorText.isEmpty)
    #expect(
      try lines.output.split(separator: 0x0a).flatMap { try OTLPLines.items(Data($0)) }.map(\.name) == wanted)
    let document = try json(try run(["export", spool, "--format", "jaeger-json"]))
    let traces = try #require(document["data"] as? [[String: Any]])
    #expect(traces.map { ($0["spans"] as? [Any])?.count } == [20, 10])
    if isRunning { #expect(forwarder.stop() == 1) }
    let again = try run(["list", "--json", spool])
    #expect(try (json(again)["segments"] as? [[String: Any]])?.first?["spans"] as? Int == 30)
  }

  @Test func damageIsNamedByFileAndOffset() throws {
    let folder = try TemporaryFolder()
    #expect(try fill(folder, try Rotel.freePort()).stop() == 1)
    let file = folder.url.appendingPathComponent("spool/00000000000000000001.spool")
    var bytes = try Data(contentsOf: file)
    bytes[300] ^= 4
    try bytes.write(to: file)
    let result = try run(["verify", folder.url.appendingPathComponent("spool").path])
    #expect(result.status == 1)
    #expect(
      result.text.contains("\(file.path):") && result.text.contains("damaged")
        && result.text.contains("29 spans"))
    let damage = try #require(
      try json(try run(["verify", "--json", folder.url.appendingPathComponent("spool").path]))["damage"]
        as? [[String: Any]])
    #expect(damage.count == 1 && damage[0]["lost_spans"] as? Int == 1)
    let offset = try #require(damage[0]["offset"] as? Int)
    #expect(offset <= 300 && offset + (damage[0]["bytes"] as? Int ?? 0) > 300)
    let export = try run(["export", folder.url.appendingPathComponent("spool").path])
    #expect(export.status == 1 && export.errorText.contains("left out as damaged: 1 record"))
    #expect(export.output.split(separator: 0x0a).count == 29)
    // Looking changed nothing.
    #expect(try Data(contentsOf: file) == bytes)
  }

  @Test(arguments: [true, false])
  func spansThatWereSetAsideAreDeliveredAgain(_ isRunning: Bool) throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    var forwarder = try fill(folder, port)
    if !isRunning { #expect(forwarder.stop() == 1) }
    let spool = folder.url.appendingPathComponent("spool").path
    try setAside(spool, 1..<8)
    let list = try json(try run(["list", "--json", spool]))
    let aside = try #require((list["set_aside"] as? [[String: Any]])?.first)
    #expect(
      aside["exporter"] as? String == "otlp" && aside["status"] as? Int == 400 && aside["spans"] as? Int == 7)
    #expect(try run(["list", spool]).text.contains("otlp: 7 spans, status 400: the span has no sense"))
    let names = try run(["export", "--set-aside", spool]).output.split(separator: 0x0a)
      .flatMap { try OTLPLines.items(Data($0)) }.map(\.name)
    #expect(names == (1..<8).map { Frames.name(trace: 9, span: $0) })

    let resend = try run(["resend", spool])
    #expect(resend.status == 0 && resend.text.contains("1 file will be delivered again"))
    let collector = try FakeCollector(port: port)
    if !isRunning {
      forwarder = try ForwarderProcess.ready(
        ["--otlp-endpoint", collector.endpoint, "--otlp-protocol", "http/json", "--retry-pause", "20ms"],
        in: folder)
    }
    try forwarder.wait("all are delivered") { collector.names.count >= 37 }
    #expect(Set(collector.names) == Set(wanted + names))
    try forwarder.wait("it is said") {
      forwarder.log.contains("spans that were set aside are delivered again")
    }
    #expect(forwarder.stop() == 0)
    #expect(try run(["resend", spool]).text.contains("no spans are set aside"))
    #expect(collector.names.count == 37)
  }

  @Test(arguments: [
    ([], "an action is missing: list, verify, export, resend"),
    (["lost"], "\"lost\" is not one of list, verify, export, resend"),
    (["list", "a", "b"], "unexpected argument \"b\""),
    (["list", "--set-aside"], "--set-aside belongs to spool export"),
    (["verify", "--format", "otlp-json"], "--format belongs to spool export"),
    (["export", "--json"], "--json belongs to spool list and spool verify"),
    (["export", "--format", "csv"], "is not one of otlp-json, jaeger-json"),
    (["list", "x", "--spool-dir", "y"], "the directory is given twice"),
    (["list", "--query", "off"], "unknown option --query"),
  ])
  func wrongUseIsExplained(_ arguments: [String], _ message: String) throws {
    let result = try run(arguments)
    #expect(result.status == 2 && result.output.isEmpty)
    #expect(
      result.errorText.hasPrefix("kata-trace-forwarder spool: ") && result.errorText.contains(message),
      "\(result.errorText)")
  }

  @Test func whatIsNotThereIsNamed() throws {
    let folder = try TemporaryFolder()
    for action in ["list", "verify", "export"] {
      let result = try run([action, folder.url.appendingPathComponent("nothing").path])
      #expect(result.status == 1 && result.errorText.contains("nothing: open: No such file or directory"))
    }
    #expect(try run(["resend", folder.url.appendingPathComponent("nothing").path]).status == 0)
    let plain = try Tool.run(ForwarderProcess.path, ["--set-aside", "--query", "127.0.0.1:0"])
    #expect(
      plain.status == 2 && plain.errorText.contains("--set-aside is an option of kata-trace-forwarder spool"))
    #expect(try run(["--help"]).text.contains("spool resend"))
  }

  /// The forwarder has become nobody, whose directory root must leave so that it can still use it.
  @Test(.enabled(if: ForwarderProcess.isRoot, "only root becomes another user: not tested"))
  func rootSendsAgainWhatAnotherUsersForwarderSetAside() throws {
    let folder = try TemporaryFolder()
    chmod(folder.url.path, 0o755)
    let spool = folder.url.appendingPathComponent("spool").path
    try FileManager.default.createDirectory(atPath: spool, withIntermediateDirectories: true)
    // Of an earlier run as root.
    try setAside(spool, 1..<4)
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-endpoint", collector.endpoint, "--otlp-protocol", "http/json"], in: folder, user: "nobody")
    #expect(try run(["resend", spool]).status == 0)
    try forwarder.wait("they are delivered") { collector.names.count >= 3 }
    try forwarder.wait("the file is deleted") {
      try FileManager.default.contentsOfDirectory(atPath: "\(spool)/set-aside/resend").isEmpty
    }
    #expect(forwarder.stop() == 0)
  }
}
