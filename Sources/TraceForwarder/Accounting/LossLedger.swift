import Logging
import System

/// Every loss of spans that the forwarder had accepted, in one place: each is counted in a metric, reported by a
/// rate-limited log line with its count, and makes the exit status 1.
///
/// Input that never was a span is not a loss: it is refused and counted where it arrives. Spans that wait in the spool
/// are not lost either.
package final class LossLedger: Sendable {
  /// Why spans are lost, by the value of the metric's label `cause`.
  package enum Cause: String, CaseIterable, Sendable {
    /// `--spool-full drop-oldest` deleted spans that some exporter had not delivered.
    case spoolFull = "spool_full"
    /// Records of the spool could not be read: a checksum was wrong, or bytes between two records made no sense.
    case spoolDamaged = "spool_damaged"
    /// An intact record of the spool is not a span.
    case spoolRecord = "spool_record"
    /// The spool could not be written when the process ended.
    case spoolUnwritable = "spool_unwritable"
    /// What an agent had sent was not read before the shutdown deadline passed. How many spans that was is unknown:
    /// each connection counts as one.
    case stopTimeout = "stop_timeout"
    /// A collector accepted a request but reported that it rejected some of its spans.
    case partialSuccess = "partial_success"
    /// A destination refused these very spans; they are set aside on disk.
    case setAside = "set_aside"
    /// Spans that were set aside were deleted, or could not be set aside, because of the limit on their size.
    case setAsideFull = "set_aside_full"

    var message: String {
      switch self {
      case .spoolFull: "spans were deleted to make room in the spool"
      case .spoolDamaged: "damaged records of the spool are lost"
      case .spoolRecord: "records of the spool are not spans and were left out"
      case .spoolUnwritable: "spans are lost: the spool could not be written before the forwarder ended"
      case .stopTimeout: "data from an agent is left unread: the shutdown deadline passed"
      case .partialSuccess: "a collector rejected some spans of a request"
      case .setAside: "spans were refused by their destination and set aside"
      case .setAsideFull: "spans that were set aside were deleted to make room"
      }
    }
  }

  private let log: StructuredLog
  private let counts = Lock<[Cause: UInt64]>([:])

  package init(log: StructuredLog) { self.log = log }

  /// Counts a loss and reports it.
  package func add(_ cause: Cause, _ count: Int, _ fields: [(String, String)] = []) {
    guard count > 0 else { return }
    counts.withLock { $0[cause, default: 0] += UInt64(count) }
    log.limited(.error, by: "loss \(cause.rawValue)", cause.message, [("count", String(count))] + fields)
  }

  package func count(_ cause: Cause) -> UInt64 { counts.withLock { $0[cause] ?? 0 } }

  /// All losses of this run.
  package var total: UInt64 { counts.withLock { $0.values.reduce(0, +) } }

  /// Adds the metric that shows every cause, also those that never occurred.
  package func addMetric(to metrics: Metrics) {
    metrics.gauge(
      "kata_forwarder_spans_lost_total Spans that were accepted and are lost or set aside, by cause."
    ) {
      [self] in
      Cause.allCases.map { ("cause=\"\($0.rawValue)\"", Double(count($0))) }
    }
  }
}
