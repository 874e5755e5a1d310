import Bytes
import Tracing

/// OTLP's logs; see `formats/output/otlp`.
///
/// A record is written as a request of its own in protobuf's binary form. What is written or sent at a time becomes requests
/// of several records, in which each resource and scope is named once.
package struct OTLPFormatter: RecordFormatter {
  /// How the records are written.
  package enum Form: Sendable {
    /// For a delivery: each record with its length before it, as the engine takes entries.
    case framed
    /// One JSON object a line, each an `ExportLogsServiceRequest`.
    case lines
  }

  private let form: Form

  package init(_ form: Form) { self.form = form }

  package func begin(_ out: inout OutputBuffer) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    if form == .lines { return OTLPRecord.put(record, place, &out) }
    let start = out.count
    out.append(littleLength: 0)
    OTLPRecord.put(record, place, &out)
    out.overwrite(at: start, little: UInt32(clamping: out.count - start - 4))
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}

  package func finishPiece(_ out: inout OutputBuffer) {
    if form == .framed || out.isEmpty { return }
    var lines = ByteWriter(capacity: out.count * 2)
    for batch in OTLPBatches(out.bytes) { Self.putLine(batch, &lines) }
    out.removeAll()
    out.append(lines.bytes)
  }

  private static func putLine(_ batch: UnsafeRawBufferPointer, _ lines: inout ByteWriter) {
    var request = ByteWriter(capacity: batch.count)
    OTLPLogs.group(batch, to: &request)
    do throws(CodecError) {
      try OTLPLogs.putJSON(request.bytes, to: &lines)
    } catch {
      // These are bytes of our own; to go on would be to lose records in silence.
      preconditionFailure("the records of a batch cannot be read back: \(error)")
    }
    lines.put(UInt8(ascii: "\n"))
  }
}

extension OutputBuffer {
  /// Appends four bytes.
  fileprivate mutating func append(littleLength value: UInt32) {
    var cursor = cursor(reserving: 4)
    cursor.put(little: value)
    commit(cursor)
  }
}
