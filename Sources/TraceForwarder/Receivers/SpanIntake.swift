import Bytes
import Synchronization
import Tracing

/// The way of every received span into the spool, shared by all receivers: attributes that say where it is from, the
/// record's bytes, and the counts.
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

  /// Offers records to the spool.
  func append(_ records: borrowing ByteWriter, count: Int, evenWhenFull: Bool = false) throws(SpoolRefusal) {
    try spool.append(records.bytes, count: count, evenWhenFull: evenWhenFull)
  }
}

/// Where the spans of a connection come from.
struct SpanOrigin: Sendable, Hashable {
  /// What metrics and the log call the receiver.
  var receiver: String
  /// The sandbox, where the socket tells it.
  var sandbox: String?
  /// The guest's context id, over AF_VSOCK.
  var cid: UInt32?
  /// The path of a hybrid socket, which is one guest's.
  var path: String?

  /// What the log calls the peer, and what connections are counted by.
  var peer: String {
    if let sandbox { return "sandbox \(sandbox)" }
    if let cid { return "vsock:\(cid)" }
    return path ?? receiver
  }
}
