import Basics
import Tracing

/// Why a batch was not delivered and is to be tried again.
package struct ExportFailure: Error, Sendable {
  package var reason: String
  /// Milliseconds to wait, where the collector asked for that.
  package var retryAfter: Int?

  package init(_ reason: String, retryAfter: Int? = nil) {
    self.reason = reason
    self.retryAfter = retryAfter
  }
}

/// Delivers spans somewhere. It is made, called and let go of by one thread, its ``ExporterWorker``'s.
package protocol SpanExporter: AnyObject {
  /// Delivers a batch, or takes it to deliver it with ``flush()``. What the destination refuses for good is counted and
  /// no failure. A batch may come again after a crash.
  func export(_ batch: SpoolBatch) throws(ExportFailure)
  /// Delivers what was taken: all of it when it must, for the process ends or the spool needs the room; else what it does
  /// not pay to wait with.
  func flush(mustDeliver: Bool) throws(ExportFailure)
  /// Whether all that was taken is delivered; only then is it acknowledged.
  var isDelivered: Bool { get }
  /// Whether ``export(_:)`` only takes, so that ``flush()`` is worth waiting for more.
  var isBuffered: Bool { get }
  /// Opens files anew, after they were moved away.
  func reopen() throws(ExportFailure)
  /// Called once, after the last flush.
  func finish() throws(ExportFailure)
}

extension SpanExporter {
  package func flush(mustDeliver: Bool) throws(ExportFailure) {}
  package var isDelivered: Bool { true }
  package var isBuffered: Bool { false }
  package func reopen() throws(ExportFailure) {}
  package func finish() throws(ExportFailure) {}
}

/// What every exporter is given.
package struct ExporterContext: Sendable {
  /// By which metrics, the log and the position's file name the exporter.
  package var name: String
  package var metrics: Metrics
  package var log: ForwarderLog
  /// What a span's service is called that names none.
  package var defaultService: String
  /// By when the exporter must be done; nothing that it does may take longer.
  package var deadline = StopDeadline()

  /// Decodes a payload of the spool into `span`; false, counted, when it is not what was written.
  func decode(_ payload: UnsafeRawBufferPointer, into span: inout Span) -> Bool {
    do throws(DecodingError) {
      try OTLPProtobuf.decode(payload, limits: .none, into: &span)
      return true
    } catch {
      metrics.add(.rejected, "spool_record")
      return false
    }
  }
}
