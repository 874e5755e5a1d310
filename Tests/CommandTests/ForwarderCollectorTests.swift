import Foundation
import Synchronization
import TestSupport
import Testing

/// Exporters that send spans to collectors over the network.
@Suite(.ownThreads) struct ForwarderCollectorTests {
  private static let python = Repository.path(".build/venv/bin/python")

  /// Options that make a test's exporter deliver to a collector as JSON and not wait long.
  private func options(_ collector: FakeCollector) -> [String] {
    ["--otlp-endpoint", collector.endpoint, "--otlp-protocol", "http/json", "--retry-pause", "20ms"]
  }

  // MARK: Real collectors

  @Test(arguments: ["http/protobuf", "http/json"])
  func rotelAcceptsEverySampleSpan(_ encoding: String) throws {
    let samples = try SampleSpans.all()
    let folder = try TemporaryFolder()
    let sink = try FakeCollector { _, _ in .init(body: Data()) }
    let rotel = try Rotel(sink: sink, in: folder)
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-endpoint", rotel.endpoint, "--otlp-protocol", encoding], in: folder)
    try send(samples.frames.reduce(Data(), +), to: forwarder)
    var names: Set<String> = []
    var seen = 0
    try forwarder.wait("rotel passes on what it accepted") {
      for request in sink.received.dropFirst(seen) {
        seen += 1
        let file = folder.url.appendingPathComponent("request-\(seen)")
        try request.body.write(to: file)
        let parsed = try Tool.run(
          Self.python, [Repository.path("Tests/Support/otlp-names"), "protobuf", file.path])
        names.formUnion(parsed.text.split(separator: "\n").map(String.init))
      }
      return names.count >= 400
    }
    #expect(forwarder.stop() == 0)
    #expect(names == Set(samples.names.map(\.description)))
  }

  @Test func anotherForwarderReceivesJaegersThrift() throws {
    let samples = try SampleSpans.all()
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let collector = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--jaeger-receiver", "127.0.0.1:0"], agents: false)
    let forwarder = try ForwarderProcess.ready(
      ["--jaeger-endpoint", "http://\(collector.addresses["jaeger"] ?? "")"], in: folder)
    try send(samples.frames.reduce(Data(), +), to: forwarder)
    try collector.waitForSpans(400)
    #expect(forwarder.stop() == 0 && collector.stop() == 0)
    #expect(try OTLPLines.names(file).sorted() == samples.names.sorted())
  }

  // MARK: What collectors answer

  @Test func requestsHaveTheHeadersThatWereAskedFor() throws {
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready(
      options(collector) + [
        "--otlp-header", "Authorization=Bearer a=b", "--otlp-header", "X-Scope-OrgID=kata",
      ])
    try send(Frames.spans(trace: 1, 1..<3), to: forwarder)
    try forwarder.wait("the spans arrive") { collector.names.count == 2 }
    #expect(forwarder.stop() == 0)
    for request in collector.received {
      #expect(request.head.hasPrefix("POST /v1/traces HTTP/1.1"))
      #expect(request.header("content-type") == "application/json")
      #expect(request.header("authorization") == "Bearer a=b")
      #expect(request.header("x-scope-orgid") == "kata")
    }
  }

  @Test(arguments: [503, 429, 502, 504])
  func aBusyCollectorIsTriedAgain(_ status: Int) throws {
    let collector = try FakeCollector { number, _ in number < 3 ? .init(status: status) : .init() }
    let forwarder = try ForwarderProcess.ready(options(collector))
    try send(Frames.spans(trace: 1, 1..<6), to: forwarder)
    try forwarder.wait("the spans arrive") { collector.names.count >= 5 }
    #expect(try forwarder.metric("export_retries_total{exporter=\"otlp\"}") == 3)
    #expect(forwarder.stop() == 0)
    #expect(collector.names == names(1, 1..<6))
    #expect(forwarder.log.contains("the collector answered \(status)"))
    #expect(forwarder.log.contains("an exporter delivers again"))
  }

  @Test func retryAfterIsHonoured() throws {
    let times = Mutex<[ContinuousClock.Instant]>([])
    let collector = try FakeCollector { number, _ in
      times.withLock { $0.append(.now) }
      return number == 0 ? .init(status: 429, headers: "Retry-After: 1\r\n") : .init()
    }
    let forwarder = try ForwarderProcess.ready(options(collector))
    try send(Frames.spans(trace: 1, 1..<2), to: forwarder)
    try forwarder.wait("the span arrives") { collector.names.count == 1 }
    #expect(forwarder.stop() == 0)
    // By itself it would have come back after 20 ms.
    let seen = times.withLock { $0 }
    #expect(seen[1] - seen[0] >= .milliseconds(990))
  }

  @Test(arguments: ["9223372036854775807", "100000000000", "soon"])
  func senselessRetryAfterIsHarmless(_ value: String) throws {
    let collector = try FakeCollector { number, _ in
      number == 0 ? .init(status: 503, headers: "Retry-After: \(value)\r\n") : .init()
    }
    let forwarder = try ForwarderProcess.ready(options(collector))
    try send(Frames.spans(trace: 1, 1..<2), to: forwarder)
    try forwarder.wait("the first attempt") { collector.received.count >= 1 }
    // Whoever stops it does not wait for the pause.
    #expect(forwarder.stop() == 0)
    #expect(collector.names.count == 1)
  }

  @Test(arguments: [true, false])
  func spansThatACollectorRejectsAreCounted(_ usesJSON: Bool) throws {
    let collector = try FakeCollector { _, _ in
      usesJSON
        ? .init(body: Data(#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}"#.utf8))
        : .init(body: Data([0x0a, 0x0b, 0x08, 2, 0x12, 7] + Array("too old".utf8)))
    }
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", collector.endpoint, "--otlp-protocol", usesJSON ? "http/json" : "http/protobuf",
      ])
    try send(Frames.spans(trace: 1, 1..<6), to: forwarder)
    try forwarder.wait("the collector has answered") {
      try forwarder.metric("spans_exported_total{exporter=\"otlp\"}") == 5
    }
    let refused = try forwarder.metric("spans_refused_by_collector_total{exporter=\"otlp\"}")
    #expect(refused == 2 * collector.received.count)
    // These are lost.
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("too old"))
  }

  @Test func aBatchThatIsTooLargeIsHalved() throws {
    let collector = try FakeCollector { _, request in
      request.body.count > 2000 ? .init(status: 413) : .init()
    }
    let forwarder = try ForwarderProcess.ready(options(collector))
    try send(Frames.spans(trace: 1, 1..<65), to: forwarder)
    try forwarder.wait("all arrive in pieces") { collector.names.count >= 64 }
    #expect(forwarder.stop() == 0)
    #expect(collector.names == names(1, 1..<65))
  }

  // MARK: Collectors that are away

  @Test func unreachableCollectorIsRetried() throws {
    let port = try Rotel.freePort()
    let folder = try TemporaryFolder()
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause",
        "20ms",
      ], in: folder)
    try send(Frames.spans(trace: 1, 1..<101), to: forwarder)
    try forwarder.waitForSpans(100)
    try forwarder.wait("some attempts") {
      try forwarder.metric("export_retries_total{exporter=\"otlp\"}") >= 5
    }
    #expect(try forwarder.metric("exporter_lag_spans{exporter=\"otlp\"}") == 100)
    #expect(try forwarder.metric("exporter_failing{exporter=\"otlp\"}") == 1)
    // That it waits is said once, not at every attempt.
    #expect(forwarder.log.components(separatedBy: "spans wait: an exporter cannot deliver").count == 2)
    let first = try FakeCollector(port: port)
    try forwarder.wait("what waited arrives") { first.names.count >= 100 }
    try forwarder.wait("that is acknowledged") {
      try forwarder.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0
    }
    first.stop()
    try send(Frames.spans(trace: 2, 1..<51), to: forwarder)
    try forwarder.waitForSpans(150)
    let second = try FakeCollector(port: port)
    try forwarder.wait("the rest arrives") { second.names.count >= 50 }
    #expect(forwarder.stop() == 0)
    #expect(first.names == names(1, 1..<101) && second.names == names(2, 1..<51))
  }

  @Test func silentCollectorDoesNotDelayShutdown() throws {
    // It accepts and is silent.
    let silent = try LocalSocket(listeningOn: 0)
    silent.setTimeout(60_000)
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "http://127.0.0.1:\(silent.port)", "--collector-timeout", "1h", "--stop-timeout",
        "300ms",
      ])
    try send(Frames.spans(trace: 1, 1..<8), to: forwarder)
    let connection = silent.accept()
    #expect(try connection?.read().isEmpty == false)
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("spans are not delivered and wait in the spool"))
    #expect(forwarder.log.contains("exporter=otlp spans=7"))
  }

  @Test func aSlowCollectorDoesNotKeepTheForwarderBeyondItsTime() throws {
    let collector = try FakeCollector { _, _ in
      Deadline.pause(seconds: 0.1)
      return .init()
    }
    let forwarder = try ForwarderProcess.ready(
      options(collector) + ["--batch-spans", "1", "--stop-timeout", "500ms"])
    try send(Frames.spans(trace: 1, 1..<400), to: forwarder)
    try forwarder.waitForSpans(399)
    #expect(forwarder.stop() == 1)
    let delivered = collector.names.count
    #expect(delivered < 200)
    // The request that was under way at the end was given up, though its span may have arrived.
    let reported = try #require(Self.undelivered(forwarder.log))
    #expect((399 - delivered...400 - delivered).contains(reported), "\(delivered): \(forwarder.log)")
  }

  private static func undelivered(_ log: String) -> Int? {
    guard let range = log.range(of: "exporter=otlp spans=") else { return nil }
    return Int(log[range.upperBound...].prefix { $0.isNumber })
  }

  // MARK: UDP

  @Test func jaegersAgentReadsTheDatagrams() throws {
    let samples = try SampleSpans.all()
    let agent = try LocalSocket.datagrams()
    let folder = try TemporaryFolder()
    let datagrams = DatagramCollector(agent)
    defer { datagrams.stop() }
    let forwarder = try ForwarderProcess.ready(
      ["--jaeger-host", "127.0.0.1", "--jaeger-port", String(agent.port)], in: folder)
    // Large spans of one process: more than a datagram holds.
    let large = Frames.spans(trace: 7, 1..<21, padding: 9000)
    try send(samples.frames.reduce(Data(), +) + large, to: forwarder)
    var files: [String] = []
    var names: [String] = []
    try forwarder.wait("all spans are in datagrams") {
      let all = datagrams.all
      guard all.count > files.count else { return false }
      for data in all[files.count...] {
        let file = folder.url.appendingPathComponent("datagram-\(files.count)")
        try data.write(to: file)
        files.append(file.path)
      }
      names = try decode(files)
      return names.count >= 420
    }
    #expect(forwarder.stop() == 0)
    #expect(
      names.sorted() == (samples.names + CommandTests.names(7, 1..<21)).map(\.description).sorted())
    let sizes = try files.map { try Data(contentsOf: URL(fileURLWithPath: $0)).count }
    #expect(sizes.allSatisfy { $0 <= 65_000 } && sizes.contains { $0 > 50_000 })
  }

  private func decode(_ files: [String]) throws -> [String] {
    let result = try Tool.run(
      Repository.path(".build/venv-jaeger/bin/python"),
      [Repository.path("Tests/Support/jaeger-datagrams")] + files)
    #expect(result.status == 0, "\(result.errorText)")
    return result.text.split(separator: "\n").map(String.init)
  }

  @Test func aSpanThatFitsNoDatagramIsSetAside() throws {
    let agent = try LocalSocket.datagrams()
    agent.setTimeout(10_000)
    let forwarder = try ForwarderProcess.ready(["--jaeger-port", String(agent.port)])
    try send(
      Frames.span(trace: 1, span: 1, padding: 70_000) + Frames.span(trace: 1, span: 2), to: forwarder)
    #expect(try agent.read(70_000).count < 1000)
    try forwarder.wait("both are done with") {
      try forwarder.metric("spans_refused_by_collector_total{exporter=\"jaeger-agent\"}") == 1
    }
    let lost = try forwarder.metrics()[#"kata_forwarder_spans_lost_total{cause="set_aside"}"#]
    #expect(lost == 1)
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("too large for a datagram"))
  }

  @Test func unreachableJaegerAgentIsRetried() throws {
    let port = try LocalSocket.datagrams().port
    let forwarder = try ForwarderProcess.ready(["--jaeger-port", String(port), "--retry-pause", "20ms"])
    try send(Frames.spans(trace: 1, 1..<21, padding: 9000), to: forwarder)
    try forwarder.waitForSpans(20)
    try forwarder.wait("it notices") {
      try forwarder.metric("export_retries_total{exporter=\"jaeger-agent\"}") >= 3
    }
    #expect(try forwarder.metric("exporter_lag_spans{exporter=\"jaeger-agent\"}") == 20)
    let agent = try LocalSocket.datagrams(port: port)
    agent.setTimeout(10_000)
    try forwarder.wait("all is delivered") {
      try forwarder.metric("exporter_lag_spans{exporter=\"jaeger-agent\"}") == 0
    }
    var names: Set<String> = []
    while names.count < 20 {
      let file = forwarder.path("datagram")
      try agent.read(70_000).write(to: URL(fileURLWithPath: file))
      names.formUnion(try decode([file]))
    }
    #expect(forwarder.stop() == 0)
  }

  // MARK: TLS

  @Test func httpsIsTrustedByItsAuthorityAlone() throws {
    let folder = try TemporaryFolder()
    let make = """
      set -e
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=test-authority 2>/dev/null
      openssl req -newkey rsa:2048 -nodes -keyout key.pem -out csr.pem -subj /CN=localhost 2>/dev/null
      printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >ext
      openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem 2>/dev/null
      """
    #expect(try Tool.run("/bin/bash", ["-c", make], in: folder.url).status == 0)
    let server = try TLSCollector(in: folder)
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "https://127.0.0.1:\(server.port)", "--otlp-protocol", "http/json",
        "--retry-pause", "20ms", "--collector-ca-file", folder.url.appendingPathComponent("ca.pem").path,
      ], in: folder)
    try send(Frames.spans(trace: 1, 1..<4), to: forwarder)
    try forwarder.wait("the spans arrive") { try server.names().count == 3 }
    #expect(forwarder.stop() == 0)

    let other = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "https://127.0.0.1:\(server.port)", "--retry-pause", "20ms", "--stop-timeout",
        "100ms",
      ])
    try send(Frames.spans(trace: 2, 1..<4), to: other)
    try other.wait("it is refused") { other.log.contains("certificate") }
    #expect(other.stop() == 1)
    #expect(other.log.contains("exporter=otlp spans=3"))
    #expect(other.log.contains("--collector-ca-file"))
    #expect(try server.names().count == 3)
  }
}
