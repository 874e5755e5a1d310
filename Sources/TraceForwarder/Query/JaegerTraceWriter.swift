import Bytes
import Encodings
import Tracing

/// Writes a trace as the first generation of the API has it.
struct JaegerTraceWriter {
  let defaultService: String
  /// Bytes of the whole answer.
  let limit: Int
  /// Whether spans have the warnings of ``Trace/warnings``.
  let warns: Bool

  func put(_ trace: Trace, _ reader: SpanReader, _ out: inout ByteWriter) {
    let warnings = warns ? trace.warnings : [:]
    var numbers: [[UInt8]: Int] = [:]
    var processes: [[UInt8]] = []
    var process = ByteWriter(capacity: 512)
    var processBytes = 0
    var written = 0
    out.put("{\"traceID\":\"")
    out.put(hex: trace.id)
    out.put("\",\"spans\":[")
    for (index, member) in trace.spans.enumerated() where out.count + processBytes <= limit {
      reader.read(member.position) { span, _ in
        process.removeAll()
        JaegerJSON.encodeProcess(of: span, defaultService: defaultService, to: &process)
        let bytes = process.array
        let number = numbers[bytes] ?? processes.count + 1
        if number > processes.count {
          numbers[bytes] = number
          processes.append(bytes)
          processBytes += bytes.count
        }
        if written > 0 { out.put(0x2c) }
        written += 1
        JaegerJSON.encode(span, processNumber: number, warnings: warnings[index] ?? [], to: &out)
      }
    }
    out.put("],\"processes\":{")
    out.put(list: processes.enumerated()) { process, out in
      out.put("\"p")
      out.put(decimal: Int64(process.offset + 1))
      out.put("\":")
      out.put(process.element)
    }
    out.put("},\"warnings\":")
    let missing = trace.omitted + trace.spans.count - written
    if missing > 0 {
      out.put("[")
      out.put(json: "\(missing) spans are left out: the trace exceeds the maximum size of an answer")
      out.put("]}")
    } else {
      out.put("null}")
    }
  }
}
