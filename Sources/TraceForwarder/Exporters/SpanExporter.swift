import Bytes
import Logging
import System
import Tracing

/// Why a batch was not delivered and is to be tried again.
package struct ExportFailure: Error, Sendable {
  package var reason: String
  /// Milliseconds to wait, where the collector asked for that.
  package var retryAfter: Int?
  /// Whether all that was not acknowledged is to be exported again.
  package var repeats = false
  /// What a person can do about it.
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

/// Delivers spans somewhere. It is made, called and let go of by one thread, its ``ExporterWorker``'s.
package protocol SpanExporter: AnyObject {
  /// Delivers a batch, or takes it to deliver it with ``flush(mustDeliver:)``. Spans that the destination refuses for good are set
  /// aside, which is no failure. After a failure the same batch is offered again; after a crash any may come again.
  func export(_ batch: SpoolBatch) throws(ExportFailure)
  /// Delivers what was taken: all of it when it must, for the process ends or the spool needs the room; else what it does
  /// not pay to wait with.
  func flush(mustDeliver: Bool) throws(ExportFailure)
  /// Whether all that was taken is delivered; only then is it acknowledged.
  var isDelivered: Bool { get }
  /// Whether ``export(_:)`` only takes, so that ``flush(mustDeliver:)`` is worth waiting for more.
  var isBuffered: Bool { get }
  /// Whether it has refused spans that only another batch can show to be at fault: the next one is to be offered before
  /// ``flush(mustDeliver:)``.
  var isUndecided: Bool { get }
  /// Number of spans that were taken and left out since it was last asked: they are not counted as delivered.
  func takeLeftOut() -> Int
  /// Opens files anew, after they were moved away.
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

/// What every exporter is given.
package struct ExporterContext: Sendable {
  /// By which metrics, the log and the position's file name the exporter.
  package var name: String
  package var metrics: Metrics
  package var log: StructuredLog
  package var losses: LossLedger
  /// Where spans go that the destination refuses for good.
  package var store: SetAside
  /// What a span's service is called that names none.
  package var defaultService: String
  /// What this forwarder's requests are marked with.
  package var instance = ""
  /// By when the exporter must be done; nothing that it does may take longer.
  package var deadline = StopDeadline()

  /// Decodes a payload of the spool into `span`; false when it is not what was written, which is to be counted by
  /// ``countUnreadable(_:)`` once the others of its batch are delivered.
  func decode(_ payload: UnsafeRawBufferPointer, into span: inout Span) -> Bool {
    do throws(CodecError) {
      try OTLPProtobuf.decode(payload, limits: .none, into: &span)
      return true
    } catch {
      return false
    }
  }

  /// Counts records that are no spans.
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
