import Delivery
import HTTP
import Logging
import System

/// A shipper's status over HTTP: `/metrics`, `/healthz` and `/readyz`.
final class ShipStatus: Sendable {
  private let session: Lock<ShipSession?>
  private let counters: ShipCounters
  private let thread: LoopThread

  init(_ counters: ShipCounters) throws(SystemCallError) {
    self.counters = counters
    session = Lock(nil)
    thread = try LoopThread("status")
  }

  /// Serves through a listening socket.
  func start(_ socket: BoundSocket, _ log: StructuredLog) {
    thread.start { [self] loop throws(SystemCallError) in
      let server = HTTPServer(loop: loop, metrics: NoMetrics(), log: log)
      if let file = socket.take() {
        server.listen(file, in: HTTPBudget()) { [self] request in answer(request) }
      }
      return HTTPService(server)
    }
  }

  /// Sets the session to report on from now on.
  func use(_ current: ShipSession?) { session.withLock { $0 = current } }

  func stop() {
    thread.stop(deadline: MonotonicClock.milliseconds + 1000)
    thread.join()
  }

  var failure: SystemCallError? { thread.failure }

  private func answer(_ request: HTTPRequest) -> HTTPResponse {
    guard ["/metrics", "/healthz", "/readyz"].contains(request.path) else {
      return HTTPResponse(404, text: "only /metrics, /healthz and /readyz exist")
    }
    guard request.method == "GET" || request.method == "HEAD" else {
      return HTTPResponse(405, text: "only GET is accepted")
    }
    let session = session.withLock { $0 }
    switch request.path {
    case "/metrics": return HTTPResponse(200, type: MetricsText.mediaType, Array(metrics(session).utf8))
    case "/healthz": return Self.health(session)
    default: return Self.readiness(session)
    }
  }

  private static func health(_ session: ShipSession?) -> HTTPResponse {
    if let failure = session?.failure { return HTTPResponse(503, text: failure) }
    return HTTPResponse(200, text: "ok")
  }

  private static func readiness(_ session: ShipSession?) -> HTTPResponse {
    guard let session else { return HTTPResponse(503, text: "starting or stopping") }
    if let failure = session.failure { return HTTPResponse(503, text: failure) }
    if let failing = session.statistics.failing {
      let seconds = max(0, MonotonicClock.milliseconds - failing.since) / 1000
      let remedy = failing.failure.remedy.map { "; remedy: \($0)" } ?? ""
      return HTTPResponse(
        503,
        text:
          "records are waiting; nothing was acknowledged for \(seconds) s: \(failing.failure.reason)\(remedy)"
      )
    }
    return HTTPResponse(200, text: "ready")
  }

  private func metrics(_ session: ShipSession?) -> String {
    var text = MetricsText()
    counters.write(to: &text)
    let statistics = session?.statistics ?? DeliveryStatistics()
    func counter(_ name: String, _ help: String, _ value: UInt64) {
      text.add("kata_ship_\(name)", .counter, help, value)
    }
    counter("records_sent_total", "Records sent, counted every time they are sent.", statistics.sentRecords)
    counter("bytes_sent_total", "Bytes of the records that were sent.", statistics.sentBytes)
    counter(
      "records_acknowledged_total", "Records that a receiver acknowledged.", statistics.acknowledgedRecords)
    counter("records_set_aside_total", "Records that no receiver accepted.", statistics.setAsideRecords)
    counter(
      "records_rejected_total", "Records that the receiver rejected although it accepted their chunk.",
      statistics.rejectedRecords)
    counter("chunks_resent_total", "Chunks that were sent again.", statistics.resentChunks)
    counter(
      "chunks_halved_total", "Chunks that were halved because they were not acknowledged.",
      statistics.halvedChunks)
    counter("connections_total", "Connections to receivers.", statistics.connections)
    counter("delivery_failures_total", "Attempts to deliver that failed.", statistics.failures)
    text.add(
      "kata_ship_records_waiting", .gauge, "Records that wait for an acknowledgement.",
      UInt64(max(0, statistics.waitingRecords)))
    text.add(
      "kata_ship_failing", .gauge, "1 if nothing is being acknowledged at present, otherwise 0.",
      statistics.failing == nil ? 0 : 1)
    return text.text
  }

  private struct NoMetrics: HTTPServerMetrics {
    func countConnection() {}
    func countClosed(_ reason: String) {}
    func changeOpenConnections(by count: Int) {}
    func countRequest(status: Int) {}
  }
}
