import Bytes
import Encodings

/// `SpanData` of opentelemetry 0.17 in serde's JSON, as agents of Kata 3.29 and later send it. See
/// `formats/agent-frames`.
///
/// Members may come in any order and unknown ones are skipped, as in serde.
package enum AgentJSON {
  package static func decode(
    _ payload: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(), into span: inout Span
  ) throws(CodecError) {
    span.removeAll()
    var decoder = AgentJSONDecoder(json: try JSONScanner(payload), limits: limits)
    try decoder.decode(into: &span)
  }

  package static func encode(_ span: Span, to out: inout ByteWriter) {
    span.text.withUnsafeBytes { AgentJSONEncoder(span: span, text: $0).encode(&out) }
  }
}
