import Bytes
import Tracing

/// OTLP's logs: one JSON object a line, each an `ExportLogsServiceRequest`; see `formats/output/otlp`.
///
/// A record is written as a request of its own in protobuf's binary form. What is written at a time becomes requests of
/// several records, in which each resource and scope is named once.
package struct OTLPFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    OTLPRecord.put(record, place, &out)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}

  package func finishPiece(_ out: inout OutputBuffer) {
    if out.isEmpty { return }
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
