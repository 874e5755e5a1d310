import HTTP
import Logging
import System

/// The path of log records through the forwarder: a separate spool, and the exporter that posts them to the collector's
/// `/v1/logs`.
///
/// It exists only if a collector receives logs, so that no record is accepted that has no destination.
struct LogRelay: Sendable {
  /// The folder in the spool's directory.
  static let folder = "logs"
  /// The exporter's name in metrics and in the name of its position file.
  static let exporter = "otlp-logs"

  let spool: Spool
  let losses: LossLedger
  let worker: ExporterWorker
  private let syncer: SpoolSyncer
  private let log: StructuredLog

  /// The settings of the spool of logs: it may be as large as that of spans, and is next to it.
  static func options(_ options: ForwarderOptions) -> SpoolOptions {
    var spool = options.spool
    spool.directory = "\(spool.directory)/\(folder)"
    spool.keptSize = 0
    return spool
  }

  init(
    _ options: ForwarderOptions, _ collector: HTTPClient.Options, metrics: Metrics, log: StructuredLog,
    mark: String
  ) throws(SpoolFailure) {
    self.log = log
    let losses = LossLedger(log: log, ofLogs: true)
    losses.addMetric(to: metrics)
    self.losses = losses
    let spool = try Spool(Self.options(options), losses: losses, log: log)
    self.spool = spool
    var context = ExporterContext(
      name: Self.exporter, metrics: metrics, log: log, losses: losses, store: spool.setAside,
      defaultService: options.agents.defaultService, instance: mark)
    context.isOfLogs = true
    let usesJSON = options.otlpUsesJSON
    (worker, syncer) = try SpoolFailure.from { () throws(SystemCallError) in
      (
        try ExporterWorker(context, spool: spool, limits: options.worker) { context throws(ExportFailure) in
          try CollectorExporter(context, OTLPLogsRequestEncoder(usesJSON: usesJSON), collector)
        },
        try SpoolSyncer(spool, log: log)
      )
    }
    addGauges(to: metrics)
  }

  private func addGauges(to metrics: Metrics) {
    let (spool, worker) = (spool, worker)
    metrics.gauge("kata_forwarder_logs_spool_bytes Bytes of the files of the spool of log records.") {
      [(labels: "", value: Double(spool.counts.bytes))]
    }
    metrics.gauge(
      "kata_forwarder_logs_spool_recovered_records_total Log records that an earlier run left in the spool."
    ) {
      [(labels: "", value: Double(spool.counts.recovered))]
    }
    metrics.gauge("kata_forwarder_log_records_waiting Log records that wait for their exporter, about.") {
      [(labels: "", value: Double(worker.backlog.records))]
    }
    metrics.gauge(
      "kata_forwarder_logs_exporter_failing Whether the exporter of log records cannot deliver just now."
    ) {
      [(labels: "", value: worker.failure == nil ? 0 : 1)]
    }
  }

  func start() {
    syncer.start()
    worker.start()
  }

  /// Why the records cannot be kept or delivered at present; nil if they can.
  var problem: String? {
    if let error = spool.lastError { return "the spool of logs cannot be written: \(error.description)" }
    return worker.failure.map { failure in
      let remedy = failure.remedy.map { "; remedy: \($0)" } ?? ""
      return "the exporter \(worker.name) cannot deliver, log records wait: \(failure.reason)\(remedy)"
    }
  }

  /// Starts to deliver what can be delivered until the deadline, without waiting for it.
  func beginStop(deadline: Int) {
    syncer.stop()
    worker.stop(deadline: deadline)
  }

  func finishStop() { worker.join() }

  /// Reports what is not delivered; returns whether anything is lost or waiting.
  func settle() -> Bool {
    let count = worker.waiting
    if count > 0 {
      log.error(
        "log records are not delivered and wait in the spool",
        [
          "exporter": worker.name, "records": String(count),
          "reason": worker.failure?.reason ?? "the time to stop was over",
        ])
    }
    return count > 0 || losses.total > 0
  }
}
