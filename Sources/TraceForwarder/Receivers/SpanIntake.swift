import Bytes
import Tracing

/// Puts every received span into the spool, for all receivers: adds attributes of its origin, encodes the record, and
/// counts.
///
/// One belongs to one receiving thread.
final class SpanIntake {
  private let spool: Spool
  private var payload = ByteWriter(capacity: 16 << 10)

  init(spool: Spool) { self.spool = spool }

  /// Appends the record of a span to `records`.
  func encode(_ span: borrowing Span, to records: inout ByteWriter) {
    payload.removeAll()
    OTLPProtobuf.encode(copy span, to: &payload)
    spool.key.append(payload.bytes, to: &records)
  }

  /// Where spans are counted that are lost before they are in the spool.
  var losses: LossLedger { spool.losses }

  /// Offers a batch to the spool, which takes all of it or nothing.
  func append(_ batch: borrowing SpanBatch, evenWhenFull: Bool = false) throws(SpoolRefusal) {
    try spool.append(batch.records.bytes, count: batch.count, evenWhenFull: evenWhenFull)
  }
}
