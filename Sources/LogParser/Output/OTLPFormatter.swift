import Bytes
import Tracing

/// OTLP logs; see `formats/output/otlp`.
///
/// Each record is first encoded as a separate protobuf request. Records that are written or sent together are then
/// combined into requests in which each resource and scope appears once.
package struct OTLPFormatter: RecordFormatter {
  /// How the records are written.
  package enum Form: Sendable {
    /// For a delivery: each record preceded by its length, as the engine expects entries.
    case framed
    /// One JSON object per line, each an `ExportLogsServiceRequest`.
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
    var line = ByteWriter(capacity: batch.count * 2)
    do throws(CodecError) {
      try OTLPLogs.putJSON(request.bytes, to: &line)
      lines.put(line.bytes)
    } catch {
      // This process wrote these bytes, so this would be an error of its own; a record in their place shows the loss.
      lines.put(
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"severityNumber\":17,\"body\":{\"stringValue\":"
      )
      lines.put(
        "\"kata-log-parser: records are missing here, because they could not be written as JSON\"}}]}]}]}")
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
