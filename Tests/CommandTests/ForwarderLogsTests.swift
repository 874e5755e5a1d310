import Bytes
import Foundation
import TestSupport
import Testing
import Tracing

/// Log records through the forwarder: from `/v1/logs` into a spool of their own, and to the collector.
@Suite(.ownThreads) struct ForwarderLogsTests {
  private static let receiver = ["--otlp-receiver", "127.0.0.1:0"]

  private static func request(_ names: Range<Int>) -> Data {
    let records = names.map {
      "{\"timeUnixNano\":\"\($0 + 1)\",\"severityNumber\":9,\"body\":{\"stringValue\":\"record \($0)\"},\"eventName\":\"e\"}"
    }
    return Data(
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"s\"}}]},\"scopeLogs\":[{\"scope\":{\"name\":\"x\"},\"logRecords\":[\(records.joined(separator: ","))]}]}]}"
        .utf8)
  }

  private func post(_ body: Data, to forwarder: ForwarderProcess, type: String = "application/json") throws
    -> HTTPAnswer
  {
    try HTTPAnswer.post(forwarder.addresses["otlp"] ?? "", "/v1/logs", type: type, body)
  }

  private static func json(_ request: Data) throws -> String {
    var out = ByteWriter()
    let isCompressed = request.starts(with: [0x1f, 0x8b])
    let bytes = [UInt8](
      isCompressed ? try Tool.run("/usr/bin/gzip", ["-dc"], input: request).output : request)
    try bytes.withPart(0..<bytes.count) { part throws(CodecError) in try OTLPLogs.putJSON(part, to: &out) }
    return out.string
  }

  /// The bodies of the records that a collector was posted in protobuf.
  private static func bodies(_ requests: [FakeCollector.Request]) throws -> [String] {
    try requests.flatMap {
      try json($0.body).matches(of: /"body":{"stringValue":"([^"]*)"}/).map { String($0.1) }
    }
  }

  private static func binary(_ json: Data) throws -> Data {
    var out = ByteWriter()
    let bytes = [UInt8](json)
    try bytes.withPart(0..<bytes.count) { part throws(CodecError) in
      try OTLPLogs.putProtobuf(json: part, to: &out)
    }
    return Data(out.array)
  }

  @Test func recordsAreRelayed() throws {
    let collector = try FakeCollector { _, _ in .init(body: Data()) }
    let forwarder = try ForwarderProcess.ready(Self.receiver + ["--otlp-endpoint", collector.endpoint])
    #expect(try post(Self.request(0..<30), to: forwarder).status == 200)
    let answer = try post(Self.binary(Self.request(30..<50)), to: forwarder, type: "application/x-protobuf")
    #expect(answer.status == 200)
    #expect(answer.body.isEmpty)
    try forwarder.wait("the records arrive") { try Self.bodies(collector.received).count >= 50 }
    #expect(try Self.bodies(collector.received) == (0..<50).map { "record \($0)" })
    #expect(collector.received.allSatisfy { $0.head.hasPrefix("POST /v1/logs ") })
    let text = try Self.json(collector.received[0].body)
    #expect(text.contains("{\"key\":\"kata.receiver\",\"value\":{\"stringValue\":\"otlp\"}}"))
    #expect(text.contains("\"eventName\":\"e\""))
    let metrics = try forwarder.metrics()
    #expect(metrics["kata_forwarder_log_records_received_total{receiver=\"otlp\"}"] == 50)
    #expect(metrics["kata_forwarder_log_records_exported_total{exporter=\"otlp-logs\"}"] == 50)
    #expect(metrics["kata_forwarder_spans_received_total"] == 0)
    #expect(forwarder.stop() == 0)
  }

  @Test func recordsSurviveAKillAndWaitForTheCollector() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let arguments = Self.receiver + ["--otlp-endpoint", "http://127.0.0.1:\(port)", "--retry-pause", "20ms"]
    let first = try ForwarderProcess.ready(arguments, in: folder)
    #expect(try post(Self.request(0..<20), to: first).status == 200)
    first.stop(SIGKILL)
    let second = try ForwarderProcess.ready(arguments, in: folder)
    try second.wait("it says so") { second.log.contains("log records wait: an exporter cannot deliver") }
    #expect(try second.get("/readyz").status == 503)
    let collector = try FakeCollector(port: port) { _, _ in .init(body: Data()) }
    try second.wait("the records arrive") { try Set(Self.bodies(collector.received)).count == 20 }
    #expect(second.stop() == 0)
  }

  @Test func recordThatIsRefusedIsSetAside() throws {
    let collector = try FakeCollector { _, request in
      .init(status: ((try? Self.bodies([request])) ?? []).contains("record 7") ? 400 : 200, body: Data())
    }
    let forwarder = try ForwarderProcess.ready(
      Self.receiver + ["--otlp-endpoint", collector.endpoint, "--retry-pause", "20ms"])
    #expect(try post(Self.request(0..<16), to: forwarder).status == 200)
    try forwarder.wait("it is set aside") {
      try forwarder.metrics()["kata_forwarder_log_records_lost_total{cause=\"set_aside\"}"] == 1
    }
    #expect(forwarder.stop() == 1)
    let taken = try collector.received.map { try Self.bodies([$0]) }.filter { !$0.contains("record 7") }
    #expect(Set(taken.flatMap { $0 }).count == 15)
  }

  @Test(arguments: [
    ("{", "application/json", 400),
    (
      "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"traceId\":\"ab\"}]}]}]}", "application/json",
      400
    ),
    ("\u{0}\u{0}", "application/x-protobuf", 400), ("{}", "text/plain", 415), ("{}", "application/json", 200),
  ])
  func badRequestsAreRefused(_ body: String, _ type: String, _ status: Int) throws {
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready(Self.receiver + ["--otlp-endpoint", collector.endpoint])
    #expect(try post(Data(body.utf8), to: forwarder, type: type).status == status)
    let rejected = try forwarder.metrics().filter {
      $0.key.hasPrefix("kata_forwarder_log_records_rejected_total{")
    }
    #expect(rejected.values.reduce(0, +) == (status == 400 ? 1 : 0))
    #expect(forwarder.stop() == 0)
  }

  /// A record that breaks a limit is left out, and the answer says so; the others are taken.
  @Test func brokenRecordIsAPartialSuccess() throws {
    let collector = try FakeCollector { _, _ in .init(body: Data()) }
    let forwarder = try ForwarderProcess.ready(Self.receiver + ["--otlp-endpoint", collector.endpoint])
    let deep =
      "{\"body\":" + String(repeating: "{\"arrayValue\":{\"values\":[", count: 12) + "{}"
      + String(repeating: "]}}", count: 12) + "},"
    let text = String(decoding: Self.request(0..<2), as: UTF8.self)
      .replacingOccurrences(of: "\"logRecords\":[", with: "\"logRecords\":[" + deep)
    let answer = try post(Data(text.utf8), to: forwarder)
    #expect(answer.status == 200)
    #expect(answer.text.contains("\"rejectedLogRecords\":\"1\""))
    try forwarder.wait("the others arrive") { try Self.bodies(collector.received).count == 2 }
    #expect(forwarder.stop() == 0)
  }

  @Test func withoutACollectorNoRecordIsTaken() throws {
    let forwarder = try ForwarderProcess.ready(Self.receiver + ["--otlp-json-file", "spans"])
    #expect(try post(Self.request(0..<1), to: forwarder).status == 404)
    #expect(forwarder.stop() == 0)
  }

  /// Log parser, forwarder, a real collector: all records come out once, as they went in.
  @Test func parserForwarderAndCollector() throws {
    let sink = try FakeCollector { _, _ in .init(body: Data()) }
    let folder = try TemporaryFolder()
    let rotel = try Rotel(sink: sink, in: folder)
    let forwarder = try ForwarderProcess.ready(
      Self.receiver + ["--otlp-endpoint", rotel.endpoint], in: folder)
    let log = try folder.write(
      "log",
      (0..<900).map {
        "time=\"2026-03-05T05:01:54.\(String(format: "%09d", $0))Z\" level=info msg=\"record \($0)\" name=kata pid=1 sandbox=s\($0 % 5) source=runtime\n"
      }.joined())
    let shipped = try Tool.run(["--endpoint", "http://\(forwarder.addresses["otlp"] ?? "")", "--gzip", log])
    #expect(shipped.status == 0, "\(shipped.errorText)")
    try forwarder.wait("the records come out") { try Self.bodies(sink.received).count >= 900 }
    #expect(try Self.bodies(sink.received).sorted() == (0..<900).map { "record \($0)" }.sorted())
    // The host's own claims stay: they are of a process of this machine.
    #expect(try Self.json(sink.received[0].body).contains("\"kata.sandbox.id\""))
    #expect(forwarder.stop() == 0)
  }
}
