import Bytes
import Foundation
import TestSupport
import Testing
import Tracing

/// `--output-format otlp` to a collector: every record arrives, whatever the collector does.
@Suite(.ownThreads) struct OTLPDeliveryTests {
  private static func log(_ count: Int) -> String {
    (0..<count).map {
      "time=\"2026-03-05T05:01:54.\(String(format: "%09d", $0))Z\" level=info msg=\"record \($0)\" name=kata pid=1 sandbox=s\($0 % 3) source=runtime\n"
    }.joined()
  }

  /// The bodies of the records of a request in protobuf, as JSON says them.
  private static func bodies(_ request: Data) throws -> [String] {
    var out = ByteWriter()
    let isCompressed = request.starts(with: [0x1f, 0x8b])
    let bytes = [UInt8](
      isCompressed ? try Tool.run("/usr/bin/gzip", ["-dc"], input: request).output : request)
    try bytes.withPart(0..<bytes.count) { part throws(CodecError) in try OTLPLogs.putJSON(part, to: &out) }
    return out.string.matches(of: /"body":{"stringValue":"([^"]*)"}/).map { String($0.1) }
  }

  private static func answer(_ status: Int, _ headers: String = "") -> FakeCollector.Response {
    FakeCollector.Response(status: status, headers: headers, body: Data())
  }

  /// What a collector took, by its answers.
  private static func accepted(
    _ collector: FakeCollector, _ isAccepted: (Int) -> Bool
  ) throws -> [String] {
    try collector.received.enumerated().filter { isAccepted($0.offset) }.flatMap {
      try bodies($0.element.body)
    }
  }

  private func run(_ arguments: [String], _ count: Int, to collector: FakeCollector) throws -> Tool.Result {
    let folder = try TemporaryFolder()
    let log = try folder.write("log", Self.log(count))
    return try Tool.run(
      ["--endpoint", collector.endpoint, "--stats", "--reorder-window", "1s"] + arguments + [log])
  }

  @Test func recordsArriveInBatches() throws {
    let collector = try FakeCollector { _, _ in Self.answer(200) }
    let result = try run([], 1300, to: collector)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(collector.received.allSatisfy { $0.head.hasPrefix("POST /v1/logs ") })
    #expect(collector.received.allSatisfy { $0.header("content-type") == "application/x-protobuf" })
    let batches = try collector.received.map { try Self.bodies($0.body).count }
    #expect(batches.allSatisfy { $0 <= 512 } && batches.count >= 3)
    #expect(try Set(Self.accepted(collector) { _ in true }).count == 1300)
    #expect(result.errorText.contains("\"acknowledged\":1300"))
    try expectKnown(collector)
  }

  /// OpenTelemetry's own classes know every byte.
  private func expectKnown(_ collector: FakeCollector) throws {
    let script = """
      import sys
      from google.protobuf.unknown_fields import UnknownFieldSet
      from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
      def check(message):
          assert len(UnknownFieldSet(message)) == 0
          for field, value in message.ListFields():
              if field.message_type is not None:
                  for part in value if field.is_repeated else [value]:
                      check(part)
      data = open(sys.argv[1], "rb").read()
      request = logs_service_pb2.ExportLogsServiceRequest.FromString(data)
      check(request)
      assert request.SerializeToString(deterministic=True) == data
      """
    let folder = try TemporaryFolder()
    for request in collector.received {
      let path = try folder.write("request", request.body)
      let result = try Program.python(["-c", script, path], environment: "venv")
      #expect(result.status == 0, "\(result.errorText)")
    }
  }

  /// Busy, broken, away after it has stored: the same bytes come again.
  @Test func refusedRequestsAreRepeated() throws {
    let collector = try FakeCollector { number, _ in
      switch number {
      case 0: Self.answer(503, "Retry-After: 1\r\n")
      case 1: Self.answer(429, "Retry-After: 1\r\n")
      case 2: nil
      default: Self.answer(200)
      }
    }
    let result = try run([], 20, to: collector)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(collector.received.count == 4)
    #expect(Set(collector.received.map(\.body)).count == 1)
    #expect(result.errorText.contains("answered 503"))
  }

  @Test func requestThatIsTooLargeIsHalved() throws {
    let collector = try FakeCollector { _, request in
      Self.answer(((try? Self.bodies(request.body)) ?? []).count > 10 ? 413 : 200)
    }
    let result = try run([], 35, to: collector)
    #expect(result.status == 0, "\(result.errorText)")
    let small = try collector.received.map { try Self.bodies($0.body) }.filter { $0.count <= 10 }
    #expect(small.flatMap { $0 }.count == 35)
    #expect(Set(small.flatMap { $0 }).count == 35)
  }

  /// One record that the collector refuses is set aside; all others arrive.
  @Test func refusedRecordIsSetAside() throws {
    let folder = try TemporaryFolder()
    let collector = try FakeCollector { _, request in
      Self.answer(((try? Self.bodies(request.body)) ?? []).contains("record 17") ? 400 : 200)
    }
    let result = try run(["--set-aside", folder.path("aside")], 40, to: collector)
    #expect(result.status == 1)
    #expect(result.errorText.contains("\"set_aside\":1"))
    let taken = try collector.received.map { try Self.bodies($0.body) }.filter { !$0.contains("record 17") }
    #expect(Set(taken.flatMap { $0 }).count == 39)
    #expect(
      try String(contentsOfFile: folder.path("aside"), encoding: .utf8).split(separator: "\n").count == 1)
  }

  @Test func partialSuccessIsReportedAndNotRepeated() throws {
    let answer = OTLPResponse.partialSuccess(rejected: 2, message: "too old", isJSON: false, ofLogs: true)
    let collector = try FakeCollector { _, _ in FakeCollector.Response(body: Data(answer)) }
    let result = try run([], 5, to: collector)
    #expect(result.status == 1)
    #expect(collector.received.count == 1)
    #expect(result.errorText.contains("rejected 2 records: too old"))
    #expect(result.errorText.contains("\"rejected\":2"))
  }

  /// gzip is left out where the collector does not read it; a token comes out of a file, and is in no message.
  @Test func compressionAndHeaders() throws {
    let folder = try TemporaryFolder()
    let headers = try folder.write("headers", "Authorization: Bearer SECRET-TOKEN\nX-Scope: a\n")
    chmod(headers, 0o600)
    let collector = try FakeCollector { number, request in
      if number == 0 {
        return FakeCollector.Response(
          status: 503, headers: "Retry-After: 1\r\n", body: Data("SECRET-TOKEN".utf8))
      }
      return Self.answer(request.header("content-encoding") == "gzip" ? 415 : 200)
    }
    let result = try run(["--gzip", "--otlp-header-file", headers], 8, to: collector)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(collector.received.map { $0.header("content-encoding") } == ["gzip", "gzip", nil])
    #expect(
      collector.received.allSatisfy {
        $0.header("authorization") == "Bearer SECRET-TOKEN" && $0.header("x-scope") == "a"
      })
    #expect(!result.errorText.contains("SECRET-TOKEN"))
    chmod(headers, 0o644)
    #expect(try run(["--otlp-header-file", headers], 1, to: collector).status == 2)
  }

  /// Secrets do not leave the machine unless the user wants it.
  @Test func secretsAreTakenOut() throws {
    let collector = try FakeCollector { _, _ in Self.answer(200) }
    let folder = try TemporaryFolder()
    let log = try folder.write(
      "log",
      "time=\"2026-03-05T05:01:54Z\" level=info msg=\"x password=hunter2\" name=kata pid=1 source=s api_key=abc\n"
    )
    let endpoint = ["--endpoint", collector.endpoint, "--stats"]
    let result = try Tool.run(endpoint + [log])
    #expect(result.errorText.contains("\"redacted\":2"))
    #expect(try Self.bodies(collector.received[0].body) == ["x password=[redacted]"])
    #expect(try Tool.run(endpoint + ["--no-redact", log]).status == 0)
    #expect(try Self.bodies(collector.received[1].body) == ["x password=hunter2"])
    #expect(try Tool.run(["--output-format", "ndjson", log]).text.contains("hunter2"))
    #expect(try !Tool.run(["--output-format", "ndjson", "--redact", log]).text.contains("hunter2"))
  }

  /// The journal's own fields have the message once more; its cursor stays, and tells records apart.
  @Test func journalFieldsAreTakenOutToo() throws {
    let entry =
      #"{"__CURSOR":"s=token=x;i=1","__REALTIME_TIMESTAMP":"1772686914500000","_HOSTNAME":"node1","SYSLOG_IDENTIFIER":"kata","MESSAGE":"login password=hunter2","TOKEN":"abcdef123456"}"#
      + "\n"
    let fluentd = try Tool.run(["--output-format", "fluentd", "--redact", "-"], input: Data(entry.utf8))
    #expect(fluentd.text.contains(#""MESSAGE":"login password=[redacted]","TOKEN":"[redacted]""#))
    #expect(!fluentd.text.contains("hunter2"))
    let otlp = try Tool.run(["--output-format", "otlp", "--redact", "-"], input: Data(entry.utf8))
    #expect(otlp.text.contains(#"{"key":"log.record.uid","value":{"stringValue":"s=token=x;i=1"}}"#))
    #expect(otlp.text.contains(#"{"key":"host.name","value":{"stringValue":"node1"}}"#))
    #expect(!otlp.text.contains("hunter2") && !otlp.text.contains("abcdef"))
  }

  /// A real collector between: what it reads and writes again is what was sent.
  @Test func collectorRelaysRecords() throws {
    let sink = try FakeCollector { _, _ in Self.answer(200) }
    let folder = try TemporaryFolder()
    let rotel = try Rotel(sink: sink, in: folder)
    let log = try folder.write("log", Self.log(600))
    let result = try Tool.run(["--endpoint", rotel.endpoint, "--gzip", log])
    #expect(result.status == 0, "\(result.errorText)")
    try Deadline.wait("the records come out") {
      ((try? sink.received.flatMap { try Self.bodies($0.body) }) ?? []).count == 600
    }
    #expect(try Set(sink.received.flatMap { try Self.bodies($0.body) }).count == 600)
  }

  @Test(arguments: [
    (["--endpoint", "http://127.0.0.1:1", "--endpoint", "tcp://127.0.0.1:1"], "two protocols"),
    (["--endpoint", "http://127.0.0.1:1", "--output-format", "fluentd"], "needs --output-format otlp"),
    (["--endpoint", "http://127.0.0.1:1", "--tag", "x"], "for the Forward protocol"),
    (["--endpoint", "http://"], "names no host"), (["--otlp-header", "a=b"], "give --endpoint as well"),
    (["--endpoint", "http://127.0.0.1:1", "--otlp-header", "ab"], "is not NAME=VALUE"),
  ])
  func wrongOptionsAreRefused(_ arguments: [String], _ words: String) throws {
    let result = try Tool.run(arguments + ["/dev/null"])
    #expect(result.status == 2)
    #expect(result.errorText.contains(words), "\(result.errorText)")
  }
}
