import HTTP
import Synchronization

/// The forwarder's state over HTTP: `/metrics`, `/healthz` and `/readyz`.
final class Telemetry: Sendable {
  private let metrics: Metrics
  private let spool: Spool
  private let exporters: [ExporterWorker]
  private let isStopping = Atomic<Bool>(false)

  init(_ metrics: Metrics, _ spool: Spool, _ exporters: ExporterSet) {
    self.metrics = metrics
    self.spool = spool
    self.exporters = exporters.workers
    addGauges(exporters)
  }

  func stop() { isStopping.store(true, ordering: .relaxed) }

  /// Nil for other paths.
  func answer(_ request: HTTPRequest) -> HTTPResponse? {
    guard ["/metrics", "/healthz", "/readyz"].contains(request.path) else { return nil }
    guard request.method == "GET" || request.method == "HEAD" else {
      return HTTPResponse(405, text: "only GET is accepted", allow: "GET, HEAD")
    }
    switch request.path {
    case "/metrics":
      return HTTPResponse(200, type: "text/plain; version=0.0.4; charset=utf-8", Array(metrics.text.utf8))
    case "/healthz": return HTTPResponse(200, text: "ok")
    default: return readiness
    }
  }

  private var readiness: HTTPResponse {
    if isStopping.load(ordering: .relaxed) { return HTTPResponse(503, text: "stopping") }
    if let error = spool.lastError {
      return HTTPResponse(503, text: "the spool cannot be written: \(error.description)")
    }
    let failures = exporters.compactMap { worker in
      worker.failure.map { failure in
        let remedy = failure.remedy.map { "; remedy: \($0)" } ?? ""
        return "the exporter \(worker.name) cannot deliver, spans wait: \(failure.reason)\(remedy)"
      }
    }
    // Spans are still received, but the probe should show that they are not being delivered.
    guard failures.isEmpty else { return HTTPResponse(503, text: failures.joined(separator: "\n")) }
    return HTTPResponse(200, text: "ready")
  }

  private func addGauges(_ exporters: ExporterSet) {
    let spool = spool
    func gauge(_ text: String, _ value: @escaping @Sendable (SpoolCounts) -> UInt64) {
      metrics.gauge(text) { [(labels: "", value: Double(value(spool.counts)))] }
    }
    gauge("kata_forwarder_spool_bytes Bytes of the spool's files.") { $0.bytes }
    gauge("kata_forwarder_spool_segments Files of the spool.") { $0.segments }
    gauge("kata_forwarder_spool_appended_spans_total Spans that were written to the spool.") { $0.appended }
    gauge("kata_forwarder_spool_recovered_spans_total Spans that an earlier run left in the spool.") {
      $0.recovered
    }
    gauge("kata_forwarder_spool_damaged_records_total Records of the spool that could not be read.") {
      $0.damaged
    }
    gauge("kata_forwarder_spool_dropped_spans_total Spans that were deleted to make room.") { $0.dropped }
    gauge(
      "kata_forwarder_spool_cut_bytes_total Bytes of records that were not written whole, found at the start."
    ) {
      $0.cutBytes
    }
    let workers = exporters.workers
    metrics.gauge("kata_forwarder_exporter_lag_spans Spans that wait for an exporter, about.") {
      workers.map { ("exporter=\"\($0.name)\"", Double(spool.backlog(at: $0.position).records)) }
    }
    metrics.gauge("kata_forwarder_exporter_lag_bytes Bytes of the spool that wait for an exporter.") {
      workers.map { ("exporter=\"\($0.name)\"", Double(spool.backlog(at: $0.position).bytes)) }
    }
    metrics.gauge("kata_forwarder_exporter_failing Whether an exporter cannot deliver just now.") {
      workers.map { ("exporter=\"\($0.name)\"", $0.failure == nil ? 0 : 1) }
    }
  }
}
