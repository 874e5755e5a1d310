import Foundation
import Synchronization
import TestSupport
import Testing

/// What becomes of spans that a collector refuses: `formats/collector-answers` against the real binary.
@Suite(.ownThreads) struct ForwarderRefusalTests {
  static let exporters = ["otlp", "jaeger-thrift"]

  private func options(_ exporter: String, _ collector: FakeCollector, pause: String = "1ms") -> [String] {
    (exporter == "otlp"
      ? ["--otlp-endpoint", collector.endpoint, "--otlp-protocol", "http/json"]
      : ["--jaeger-endpoint", collector.endpoint]) + ["--retry-pause", pause]
  }

  /// 499 spans and, somewhere among them, one that is called "bad".
  private func spans(badAt bad: UInt64) -> Data {
    (1..<501).reduce(Data()) { $0 + Frames.span(trace: 1, span: $1, name: $1 == bad ? "bad" : "s") }
  }

  private static func isBad(_ request: FakeCollector.Request) -> Bool {
    request.body.range(of: Data("bad".utf8)) != nil
  }

  private func setAside(_ forwarder: ForwarderProcess) throws -> Int {
    Int(try forwarder.metrics()[#"kata_forwarder_spans_lost_total{cause="set_aside"}"#] ?? -1)
  }

  private func lag(_ forwarder: ForwarderProcess, _ exporter: String) throws -> Int {
    try forwarder.metric("exporter_lag_spans{exporter=\"\(exporter)\"}")
  }

  // MARK: The table

  @Test func theTableHasEveryStatusOnce() throws {
    let rows = try CollectorAnswerTable().rows
    #expect(rows.flatMap { Array($0.statuses) } == Array(200..<1000))
    for row in rows {
      #expect(["accepted", "held", "halved"].contains(row.otlp) && row.otlp == row.thrift)
      #expect(row.remedy.isEmpty == (row.otlp == "accepted"))
    }
  }

  /// One forwarder meets every status that holds, each until it has retried.
  @Test(arguments: exporters)
  func everyStatusThatHoldsLosesNothing(_ exporter: String) throws {
    let statuses = try CollectorAnswerTable().statuses("held", exporter)
    #expect(statuses.count > 290)
    let collector = try FakeCollector { number, _ in
      number < statuses.count ? .init(status: statuses[number], body: Data()) : .init()
    }
    let forwarder = try ForwarderProcess.ready(options(exporter, collector))
    try send(spans(badAt: 7), to: forwarder)
    try forwarder.wait("all is delivered", seconds: 60) {
      try forwarder.metric("spans_exported_total{exporter=\"\(exporter)\"}") == 500
    }
    #expect(try forwarder.metric("export_retries_total{exporter=\"\(exporter)\"}") == statuses.count)
    #expect(try setAside(forwarder) == 0)
    #expect(forwarder.stop() == 0)
    if exporter == "otlp" { #expect(collector.names.sorted() == names(1, 1..<501).sorted()) }
    #expect(!forwarder.log.contains("set aside"))
  }

  @Test(arguments: exporters)
  func everyRowsRemedyIsInTheLogAndReadiness(_ exporter: String) throws {
    let rows = try CollectorAnswerTable().rows.filter { $0.treatment(exporter) == "held" }
    #expect(rows.count > 15)
    for row in rows {
      let isOpen = Mutex(false)
      let status = row.statuses.lowerBound
      let collector = try FakeCollector { _, _ in
        isOpen.withLock { $0 } ? .init() : .init(status: status, body: Data("why\u{1b}[2J".utf8))
      }
      let forwarder = try ForwarderProcess.ready(options(exporter, collector))
      try send(Frames.spans(trace: 1, 1..<3), to: forwarder)
      try forwarder.wait("it is not ready", seconds: 60) { try forwarder.get("/readyz").status == 503 }
      let text = try forwarder.get("/readyz").text
      #expect(text.contains(exporter) && text.contains("\(status)") && text.contains(row.remedy), "\(text)")
      #expect(try forwarder.metric("exporter_failing{exporter=\"\(exporter)\"}") == 1)
      #expect(forwarder.log.contains("the collector answered \(status)"))
      #expect(forwarder.log.contains("remedy=\"\(row.remedy)\""), "\(forwarder.log)")
      #expect(forwarder.log.contains("answer=\"why [2J\""), "\(forwarder.log)")
      isOpen.withLock { $0 = true }
      try forwarder.wait("it is ready again", seconds: 60) { try forwarder.get("/readyz").status == 200 }
      #expect(forwarder.stop() == 0)
    }
  }

  @Test(arguments: exporters, [1, 2, 137, 250, 499, 500] as [UInt64])
  func oneBadSpanIsSetAsideAndTheOthersArrive(_ exporter: String, _ bad: UInt64) throws {
    for status in try CollectorAnswerTable().statuses("halved", exporter) {
      let collector = try FakeCollector { _, request in
        Self.isBad(request) ? .init(status: status, body: Data("no such span".utf8)) : .init()
      }
      let forwarder = try ForwarderProcess.ready(options(exporter, collector))
      try send(spans(badAt: bad), to: forwarder)
      try forwarder.wait("all is settled", seconds: 60) {
        try setAside(forwarder) == 1 && lag(forwarder, exporter) == 0
          && forwarder.metric("spans_exported_total{exporter=\"\(exporter)\"}") == 499
      }
      if exporter == "otlp" {
        #expect(collector.names.sorted() == (names(1, 1..<bad) + names(1, bad + 1..<501)).sorted())
      }
      #expect(forwarder.stop() == 1)
      let lines = forwarder.log.split(separator: "\n").filter { $0.contains("set aside") }
      #expect(lines.count == 1, "\(forwarder.log)")
      #expect(lines.first?.contains("count=1 exporter=\(exporter) status=\(status)") == true)
      #expect(lines.first?.contains("no such span") == true)
      let store = try FileManager.default.subpathsOfDirectory(atPath: forwarder.path("spool/set-aside"))
      let kept = store.reduce(Data()) {
        $0 + (FileManager.default.contents(atPath: forwarder.path("spool/set-aside/\($1)")) ?? Data())
      }
      #expect(kept.range(of: Data("bad".utf8)) != nil)
    }
  }

  // MARK: Collectors that refuse for a time

  @Test(arguments: [1, 3, 9, 10, 11, 12, 25, 60, 400])
  func temporaryRefusalOfEverythingLosesNothing(_ times: Int) throws {
    let collector = try FakeCollector { number, _ in number < times ? .init(status: 400) : .init() }
    let forwarder = try ForwarderProcess.ready(options("otlp", collector))
    try send(spans(badAt: 3), to: forwarder)
    try forwarder.wait("all is delivered", seconds: 60) {
      try forwarder.metric("spans_exported_total{exporter=\"otlp\"}") == 500
    }
    #expect(try setAside(forwarder) == 0)
    #expect(forwarder.stop() == 0)
    #expect(collector.names.sorted() == names(1, 1..<501).sorted())
  }

  /// Whatever a collector answers, in whatever order: each span is delivered once or set aside.
  @Test(arguments: 1...8) func randomAnswersLoseNothingAndRepeatNothing(_ seed: UInt64) throws {
    let random = Mutex(SplitMix64(state: seed))
    let collector = try FakeCollector { number, request in
      let status = random.withLock { random in
        number > 1500
          ? 200
          : [200, 200, 200, 200, 400, 400, 413, 422, 429, 503, 401, 301].randomElement(using: &random) ?? 200
      }
      return Self.isBad(request) && status == 200 ? .init(status: 400) : .init(status: status)
    }
    let forwarder = try ForwarderProcess.ready(
      options("otlp", collector) + ["--batch-spans", seed % 2 == 0 ? "512" : "30"])
    let spans = (1..<501).reduce(Data()) {
      $0 + Frames.span(trace: 1, span: $1, name: $1 % 50 == 7 ? "bad" : "s")
    }
    try send(spans + Frames.spans(trace: 2, 1..<2), to: forwarder)
    try forwarder.waitForSpans(501)
    try forwarder.wait("all is settled, seed \(seed)", seconds: 60) { try lag(forwarder, "otlp") == 0 }
    let aside = try setAside(forwarder)
    #expect(aside >= 10)
    #expect(forwarder.stop() == 1)
    #expect(collector.names.count == 501 - aside, "seed \(seed)")
    #expect(Set(collector.names).count == collector.names.count, "seed \(seed)")
  }

  @Test func collectorThatRefusesEverythingGetsOneRequestPerPause() throws {
    let isOpen = Mutex(false)
    let collector = try FakeCollector { _, _ in isOpen.withLock { $0 } ? .init() : .init(status: 400) }
    let forwarder = try ForwarderProcess.ready(options("otlp", collector, pause: "50ms"))
    try send(spans(badAt: 3), to: forwarder)
    try forwarder.wait("it doubts the collector", seconds: 60) {
      try forwarder.get("/readyz").text.contains("also one without spans")
    }
    let retries = try forwarder.metric("export_retries_total{exporter=\"otlp\"}")
    let requests = collector.received.count
    // Down to single spans, twenty of these, and an empty one.
    #expect(requests < 80)
    try forwarder.wait("some pauses", seconds: 60) {
      try forwarder.metric("export_retries_total{exporter=\"otlp\"}") >= retries + 20
    }
    let more = try forwarder.metric("export_retries_total{exporter=\"otlp\"}") - retries
    #expect(collector.received.count - requests <= more + 2)
    #expect(try setAside(forwarder) == 0)
    isOpen.withLock { $0 = true }
    try forwarder.wait("all is delivered", seconds: 60) { collector.names.count >= 500 }
    #expect(forwarder.stop() == 0)
    #expect(collector.names.sorted() == names(1, 1..<501).sorted())
  }

  /// Such a collector refuses the empty request by which others prove that they accept any.
  @Test(arguments: ["512", "50"])
  func manyBadSpansDoNotBlockACollectorThatRefusesEmptyRequests(_ batch: String) throws {
    let folder = try TemporaryFolder()
    let isOpen = Mutex(false)
    let collector = try FakeCollector { _, request in
      if !isOpen.withLock({ $0 }) { return .init(status: 503) }
      return Self.isBad(request) || request.body.count < 30 ? .init(status: 400) : .init()
    }
    let first = try ForwarderProcess.ready(
      options("otlp", collector) + ["--stop-timeout", "3s"], in: folder)
    let bad = (1..<101).reduce(Data()) { $0 + Frames.span(trace: 1, span: $1, name: "bad") }
    try send(bad + Frames.spans(trace: 2, 1..<101), to: first)
    try first.waitForSpans(200)
    #expect(first.stop(SIGKILL) != 0)
    isOpen.withLock { $0 = true }
    let forwarder = try ForwarderProcess.ready(
      options("otlp", collector) + ["--batch-spans", batch], in: folder)
    try forwarder.wait("the others arrive", seconds: 60) { collector.names.count == 100 }
    // Those that were refused last are at fault when one more is accepted.
    try send(Frames.span(trace: 3, span: 1), to: forwarder)
    try forwarder.wait("all is settled", seconds: 60) {
      try setAside(forwarder) == 100 && lag(forwarder, "otlp") == 0
    }
    #expect(forwarder.stop() == 1)
    #expect(collector.names.sorted() == (names(2, 1..<101) + names(3, 1..<2)).sorted())
  }

  @Test(arguments: exporters)
  func aLoneBadSpanIsSetAsideAfterTwentyRefusalsAndAnEmptyRequest(_ exporter: String) throws {
    let collector = try FakeCollector { _, request in
      Self.isBad(request) ? .init(status: 422) : .init()
    }
    let forwarder = try ForwarderProcess.ready(options(exporter, collector))
    try send(Frames.span(trace: 1, span: 1, name: "bad"), to: forwarder)
    try forwarder.wait("it is settled", seconds: 60) {
      try setAside(forwarder) == 1 && lag(forwarder, exporter) == 0
    }
    let requests = collector.received
    #expect(requests.filter { Self.isBad($0) }.count == 21)
    #expect(requests.filter { !Self.isBad($0) }.count == 1)
    #expect(forwarder.stop() == 1)
  }

  @Test func aBadSpanWaitsForOthersWithoutHoldingThemUp() throws {
    let collector = try FakeCollector { _, request in
      Self.isBad(request) ? .init(status: 400) : .init()
    }
    let forwarder = try ForwarderProcess.ready(options("otlp", collector, pause: "1h"))
    try send(Frames.span(trace: 1, span: 1, name: "bad"), to: forwarder)
    try forwarder.wait("it is refused", seconds: 60) { collector.received.count >= 2 }
    #expect(try setAside(forwarder) == 0)
    #expect(try lag(forwarder, "otlp") == 1)
    try send(Frames.span(trace: 1, span: 2), to: forwarder)
    try forwarder.wait("both are settled", seconds: 60) {
      try setAside(forwarder) == 1 && lag(forwarder, "otlp") == 0
    }
    #expect(collector.names == names(1, 2..<3))
    #expect(forwarder.stop() == 1)
  }

  @Test func aRefusedSpanThatCannotBeSetAsideIsHeld() throws {
    let collector = try FakeCollector { _, request in Self.isBad(request) ? .init(status: 400) : .init() }
    let folder = try TemporaryFolder()
    let spool = folder.url.appendingPathComponent("spool")
    try FileManager.default.createDirectory(at: spool, withIntermediateDirectories: true)
    // A file where the directory is to be.
    let place = spool.appendingPathComponent("set-aside")
    try Data().write(to: place)
    let forwarder = try ForwarderProcess(options("otlp", collector), in: folder)
    try forwarder.waitUntilReady()
    try send(spans(badAt: 100), to: forwarder)
    try forwarder.wait("it says so", seconds: 60) {
      try forwarder.get("/readyz").text.contains("cannot be set aside")
    }
    #expect(try setAside(forwarder) == 0)
    #expect(try lag(forwarder, "otlp") > 0)
    try FileManager.default.removeItem(at: place)
    try forwarder.wait("all is settled", seconds: 60) {
      try setAside(forwarder) == 1 && lag(forwarder, "otlp") == 0
    }
    #expect(forwarder.stop() == 1)
    #expect(collector.names.count == 499)
  }

  // MARK: What is said

  @Test func redirectsAreNotFollowedAndTheLogNamesWhereTheyLead() throws {
    let isOpen = Mutex(false)
    let other = try FakeCollector()
    let collector = try FakeCollector { _, _ in
      isOpen.withLock { $0 }
        ? .init()
        : .init(status: 307, headers: "Location: \(other.endpoint)/new?token=hush\r\n", body: Data())
    }
    let forwarder = try ForwarderProcess.ready(options("otlp", collector))
    try send(Frames.spans(trace: 1, 1..<3), to: forwarder)
    try forwarder.wait("it says so", seconds: 60) {
      forwarder.log.contains("answered 307 to \(other.endpoint)/new")
    }
    isOpen.withLock { $0 = true }
    try forwarder.wait("they arrive", seconds: 60) { collector.names.count == 2 }
    #expect(forwarder.stop() == 0)
    #expect(other.received.isEmpty && !forwarder.log.contains("hush"))
  }

  @Test func secretsThatAnAnswerRepeatsAreNotLogged() throws {
    let collector = try FakeCollector { _, request in
      let secret = request.head.contains("/api/traces") ? " and hunter22" : ""
      let text = "you sent \(request.header("authorization") ?? "")\(secret)"
      return .init(status: 401, body: Data(text.utf8))
    }
    let address = collector.endpoint.dropFirst("http://".count)
    let forwarder = try ForwarderProcess.ready([
      "--otlp-endpoint", collector.endpoint, "--otlp-header", "Authorization=Bearer s3cret-token",
      "--jaeger-endpoint", "http://kata:hunter22@\(address)", "--stop-timeout", "100ms",
    ])
    try send(Frames.spans(trace: 1, 1..<3), to: forwarder)
    try forwarder.wait("both say so", seconds: 60) {
      forwarder.log.components(separatedBy: "answered 401").count > 2
    }
    let text = try forwarder.get("/readyz").text
    #expect(forwarder.stop() == 1)
    for secret in ["s3cret", "hunter22", "a2F0YTpodW50ZXIyMg=="] {
      #expect(!(forwarder.log + text).contains(secret), "\(forwarder.log)")
    }
    #expect(forwarder.log.contains("you sent [redacted]"))
  }

  /// Errors of TLS are in `ForwarderCollectorTests`.
  @Test func aNameThatDoesNotResolveIsHeldWithItsRemedy() throws {
    let forwarder = try ForwarderProcess.ready([
      "--otlp-endpoint", "http://no-such-host.invalid:4318", "--retry-pause", "1ms", "--stop-timeout",
      "100ms",
    ])
    try send(Frames.spans(trace: 1, 1..<3), to: forwarder)
    try forwarder.wait("it says so", seconds: 60) {
      try forwarder.get("/readyz").text.contains("check the host name in the URL")
    }
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("exporter=otlp spans=2"))
  }
}
