import Foundation
import Synchronization
import TestSupport
import Testing

/// Exporters whose spans come back: refused at the start where that can be seen, and ended where not.
@Suite(.ownThreads) struct ForwarderLoopTests {
  private func span(_ number: Int) -> Data {
    let id = Frames.hex(UInt128(number), 16)
    return Data(
      """
      {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0000000000000000000000000000000a","spanId":"\(id)",\
      "name":"s","startTimeUnixNano":"1760000000000000001","endTimeUnixNano":"1760000001000000005"}]}]}]}
      """.utf8)
  }

  private func received(_ forwarder: ForwarderProcess) throws -> Int {
    try forwarder.metric("spool_appended_spans_total")
  }

  private func dropped(_ forwarder: ForwarderProcess) throws -> Int {
    try forwarder.metric("spans_rejected_total{reason=\"loop\"}")
  }

  private static let hostName: String = {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }()

  // MARK: At the start

  @Test(
    arguments: [
      ("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("127.0.0.1", "0.0.0.0"),
      ("0.0.0.0", "127.0.0.1"),
      ("0.0.0.0", "127.1.2.3"), ("0.0.0.0", "localhost"), ("[::1]", "[::1]"), ("[::]", "127.0.0.1"),
      ("[::]", "localhost"), ("127.0.0.1", "user:secret@127.0.0.1"), ("0.0.0.0", "HOSTNAME"),
    ], ["otlp", "jaeger"])
  func anEndpointThatIsAnOwnReceiverIsRefused(_ addresses: (String, String), _ kind: String) throws {
    let port = try Rotel.freePort()
    let host = addresses.1.replacingOccurrences(of: "HOSTNAME", with: Self.hostName)
    let forwarder = try ForwarderProcess([
      "--\(kind)-receiver", "\(addresses.0):\(port)", "--\(kind)-endpoint", "http://\(host):\(port)",
    ])
    try forwarder.wait("it ends or is ready", seconds: 60) {
      !forwarder.isRunning || forwarder.log.contains("is ready")
    }
    if forwarder.isRunning { forwarder.stop() }
    #expect(forwarder.exitStatus == 1)
    #expect(forwarder.log.contains("--\(kind)-endpoint http://"))
    #expect(forwarder.log.contains("own receiver (--\(kind)-receiver"))
    #expect(forwarder.log.contains("with --\(kind)-receiver off"))
    #expect(!forwarder.log.contains("secret"))
  }

  @Test(arguments: [("127.0.0.1", "127.0.0.2"), ("127.0.0.1", "192.0.2.1"), ("[::1]", "127.0.0.1")])
  func anotherAddressWithTheSamePortIsNot(_ receiver: String, _ collector: String) throws {
    let port = try Rotel.freePort()
    let forwarder = try ForwarderProcess.ready([
      "--otlp-receiver", "\(receiver):\(port)", "--otlp-endpoint", "http://\(collector):\(port)",
    ])
    #expect(forwarder.stop() == 0)
  }

  // MARK: While it runs

  /// A proxy passes requests on as they are, so the check at the start cannot see where they end.
  @Test func aRequestThatComesBackThroughAProxyIsRefusedAndItsSpansStay() throws {
    let proxy = try FakeProxy()
    let forwarder = try ForwarderProcess.ready([
      "--otlp-receiver", "127.0.0.1:0", "--otlp-endpoint", "http://127.0.0.1:\(proxy.port)", "--retry-pause",
      "1ms", "--stop-timeout", "100ms",
    ])
    proxy.setTarget(forwarder.addresses["otlp"] ?? "")
    try send(Frames.spans(trace: 1, 1..<4), to: forwarder)
    try forwarder.wait("it says so", seconds: 60) { try forwarder.get("/readyz").text.contains("508") }
    try forwarder.wait("it has tried again", seconds: 60) {
      try forwarder.metric("export_retries_total{exporter=\"otlp\"}") > 5
    }
    #expect(try received(forwarder) == 3)
    #expect(try forwarder.metric("exporter_lag_spans{exporter=\"otlp\"}") == 3)
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("a request of this forwarder came back to it"))
  }

  /// A collector makes requests of its own of what it receives.
  @Test(arguments: ["http/json", "http/protobuf"])
  func spansThatACollectorSendsBackEnd(_ encoding: String) throws {
    let target = Mutex("")
    let collector = try FakeCollector { _, request in
      let type = request.header("content-type") ?? ""
      let back = try? HTTPAnswer.post(target.withLock { $0 }, "/v1/traces", type: type, request.body)
      return .init(status: back?.status ?? 503, body: Data())
    }
    let forwarder = try ForwarderProcess.ready([
      "--otlp-receiver", "127.0.0.1:0", "--otlp-endpoint", collector.endpoint, "--otlp-protocol", encoding,
      "--retry-pause", "1ms",
    ])
    let address = forwarder.addresses["otlp"] ?? ""
    target.withLock { $0 = address }
    // From an agent, which nobody else sends, and from the host.
    try send(Frames.spans(trace: 1, 1..<11), to: forwarder)
    for number in 1...10 {
      let answer = try HTTPAnswer.post(address, "/v1/traces", type: "application/json", span(number))
      #expect(answer.status == 200)
    }
    try forwarder.wait("all came back and were dropped", seconds: 60) { try dropped(forwarder) == 20 }
    try forwarder.wait("nothing is on its way", seconds: 60) {
      try forwarder.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0
    }
    // Once more each of the agent's, for only what the host's receivers take is remembered.
    #expect(try received(forwarder) == 30)
    #expect(try dropped(forwarder) == 20)
    #expect(forwarder.stop() == 0)
    #expect(forwarder.log.contains("spans came back to this forwarder and were dropped"))
  }

  @Test func twoForwardersThatSendToEachOtherEnd() throws {
    let port = try Rotel.freePort()
    let a = try ForwarderProcess.ready([
      "--otlp-receiver", "127.0.0.1:0", "--otlp-endpoint", "http://127.0.0.1:\(port)", "--retry-pause", "1ms",
    ])
    let b = try ForwarderProcess.ready([
      "--otlp-receiver", "127.0.0.1:\(port)", "--otlp-endpoint", "http://\(a.addresses["otlp"] ?? "")",
      "--retry-pause", "1ms",
    ])
    try send(Frames.spans(trace: 1, 1..<11), to: a)
    try a.wait("each has dropped or delivered all", seconds: 60) { try dropped(a) + dropped(b) == 10 }
    try a.wait("nothing is on its way", seconds: 60) {
      try a.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0
        && b.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0
    }
    #expect(try received(a) + received(b) == 30)
    #expect(a.stop() == 0 && b.stop() == 0)
  }

  /// Not a loop: the same ids with another end, as of a span that is sent again when it is complete.
  @Test func aSpanWithTheSameIdsAndAnotherEndIsTaken() throws {
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready([
      "--otlp-receiver", "127.0.0.1:0", "--otlp-endpoint", collector.endpoint, "--otlp-protocol", "http/json",
    ])
    let address = forwarder.addresses["otlp"] ?? ""
    for end in ["1760000001000000005", "1760000002000000005"] {
      let text = String(decoding: span(1), as: UTF8.self)
        .replacingOccurrences(of: "1760000001000000005", with: end)
      #expect(
        try HTTPAnswer.post(address, "/v1/traces", type: "application/json", Data(text.utf8)).status == 200)
    }
    try forwarder.wait("both arrive", seconds: 60) { collector.names.count == 2 }
    #expect(try dropped(forwarder) == 0)
    #expect(forwarder.stop() == 0)
  }
}

/// Passes connections on, byte for byte.
private final class FakeProxy: @unchecked Sendable {
  private let listener: LocalSocket
  private let lock = NSLock()
  private var target = ""

  var port: UInt16 { listener.port }

  init() throws {
    listener = try LocalSocket(listeningOn: 0)
    let listener = listener
    Thread.detachNewThread { [weak self] in
      while let connection = listener.accept() {
        let target = self?.lock.withLock { self?.target } ?? ""
        guard let port = UInt16(target.split(separator: ":").last ?? ""),
          let other = try? LocalSocket(port: port)
        else { continue }
        Self.pump(connection, other)
        Self.pump(other, connection)
      }
    }
  }

  deinit { listener.shutDown() }

  func setTarget(_ address: String) { lock.withLock { target = address } }

  private static func pump(_ from: LocalSocket, _ to: LocalSocket) {
    Thread.detachNewThread {
      while let piece = try? from.read(1 << 16), !piece.isEmpty, (try? to.write(piece)) != nil {}
      to.endWriting()
    }
  }
}
