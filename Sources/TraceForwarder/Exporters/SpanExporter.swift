import Bytes
import Logging
import System
import Tracing

/// Why a batch was not delivered. It will be offered again.
package struct ExportFailure: Error, Sendable {
  package var reason: String
  /// Milliseconds to wait, where the collector asked for that.
  package var retryAfter: Int?
  /// Whether everything that is not acknowledged must be exported again.
  package var repeats = false
  /// What an operator can do about it.
  package var remedy: String?
  /// What the collector said, which may differ from attempt to attempt.
  package var answer: String?

  package init(_ reason: String, retryAfter: Int? = nil, remedy: String? = nil, answer: String? = nil) {
    self.reason = reason
    self.retryAfter = retryAfter
    self.remedy = remedy
    self.answer = answer
  }
}

/// Delivers spans to a destination. It is created, called and released on one thread, that of its ``ExporterWorker``.
package protocol SpanExporter: AnyObject {
  /// Delivers a batch, or keeps it to deliver it in ``flush(mustDeliver:)``. Spans that the destination refuses
  /// permanently are set aside, which is not a failure. After a failure the same batch is offered again; after a crash,
  /// any batch may be.
  func export(_ batch: SpoolBatch) throws(ExportFailure)
  /// Delivers what was kept. If `mustDeliver`, because the process ends or the spool needs the room, all of it;
  /// otherwise what is not worth waiting for more.
  func flush(mustDeliver: Bool) throws(ExportFailure)
  /// Whether everything that was kept is delivered. Batches are acknowledged only then.
  var isDelivered: Bool { get }
  /// Whether ``export(_:)`` only keeps batches, so that it pays to collect more before ``flush(mustDeliver:)``.
  var isBuffered: Bool { get }
  /// Whether it holds refused spans of which only another batch can show that they are at fault: the next batch is
  /// offered before ``flush(mustDeliver:)``.
  var isUndecided: Bool { get }
  /// The number of spans that were left out since the last call: they are not counted as delivered.
  func takeLeftOut() -> Int
  /// Reopens files after they were moved away.
  func reopen() throws(ExportFailure)
  /// Called once, after the last flush.
  func finish() throws(ExportFailure)
}

extension SpanExporter {
  package func flush(mustDeliver: Bool) throws(ExportFailure) {}
  package var isDelivered: Bool { true }
  package var isBuffered: Bool { false }
  package var isUndecided: Bool { false }
  package func takeLeftOut() -> Int { 0 }
  package func reopen() throws(ExportFailure) {}
  package func finish() throws(ExportFailure) {}
}

/// The environment of an exporter.
package struct ExporterContext: Sendable {
  /// The exporter's name in metrics, in the log and in the name of its position file.
  package var name: String
  package var metrics: Metrics
  package var log: StructuredLog
  package var losses: LossLedger
  /// Stores spans that the destination refuses permanently.
  package var store: SetAside
  /// The service name of spans that have none.
  package var defaultService: String
  /// What this forwarder's requests are marked with.
  package var instance = ""
  /// When the exporter must be done; nothing that it does may take longer.
  package var deadline = StopDeadline()

  /// Decodes a payload of the spool into `span`; false if it is damaged. Report such payloads to
  /// ``countUnreadable(_:)`` once the others of their batch are delivered.
  func decode(_ payload: UnsafeRawBufferPointer, into span: inout Span) -> Bool {
    do throws(CodecError) {
      try OTLPProtobuf.decode(payload, limits: .none, into: &span)
      return true
    } catch {
      return false
    }
  }

  /// Counts records that are not spans.
  func countUnreadable(_ count: Int) {
    guard count > 0 else { return }
    metrics.add(.rejected, "spool_record", count)
    losses.add(.spoolRecord, count, [("exporter", name)])
  }

  /// Sets a span aside, on disk, and reports it.
  func setAside(_ span: SpoolBatch, status: Int, reason: String) throws(ExportFailure) {
    for range in span.payloads {
      do throws(SystemCallError) {
        try span.bytes.withPart(range) { bytes throws(SystemCallError) in
          try store.add(bytes, exporter: name, status: status, reason: reason)
        }
      } catch {
        throw ExportFailure(
          "a refused span cannot be set aside: \(error.description)",
          remedy: "make room in the directory of the spool, or let the forwarder write there")
      }
      metrics.add(.refused, name)
      losses.add(.setAside, 1, [("exporter", name), ("status", String(status)), ("reason", reason)])
    }
  }
}

extension SpoolBatch {
  /// A batch of one of the payloads.
  func alone(_ index: Int) -> SpoolBatch {
    var result = SpoolBatch(start: start, end: end)
    result.bytes = Array(bytes[payloads[index]])
    result.payloads = [0..<result.bytes.count]
    return result
  }
}
