import Bytes
import Encodings

/// OTLP's traces in OTLP's own form of protobuf JSON: ids in hexadecimal, 64-bit integers as decimal texts,
/// enumerations as numbers, unknown members skipped. See `formats/otlp`.
package enum OTLPJSON {
  /// Appends `{"resource":…,"scopeSpans":[…]}` with this one span.
  package static func encodeResourceSpans(_ span: Span, to out: inout ByteWriter) {
    span.text.withUnsafeBytes { OTLPJSONEncoder(span: span, text: $0).resourceSpans(&out) }
  }

  /// Appends what ``encodeResourceSpans(_:to:)`` does in three parts: what comes before the span, the span, and what
  /// comes after it. Spans whose first and last parts are the same may share them.
  package static func encodeParts(
    _ span: Span, head: inout ByteWriter, span body: inout ByteWriter, tail: inout ByteWriter
  ) {
    span.text.withUnsafeBytes { text in
      let encoder = OTLPJSONEncoder(span: span, text: text)
      encoder.head(&head)
      encoder.spanObject(&body)
      encoder.tail(&tail)
    }
  }

  /// Appends a whole `TracesData` object, the line of a collector's file.
  package static func encode(_ span: Span, to out: inout ByteWriter) {
    out.put("{\"resourceSpans\":[")
    encodeResourceSpans(span, to: &out)
    out.put("]}")
  }

  /// Decodes an `ExportTraceServiceRequest` or `TracesData` object: each span is handed to `body` in the same reused
  /// value.
  package static func decodeRequest(
    _ message: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(),
    refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var decoder = OTLPJSONDecoder(json: try JSONScanner(message), limits: limits)
    var span = Span()
    var more = try decoder.json.beginObject()
    while more {
      if try decoder.json.key() == "resourceSpans" {
        var another = try decoder.json.beginArray()
        while another {
          try decoder.resourceSpans(&span, refused, body)
          another = try decoder.json.another(0x5d)
        }
      } else {
        try decoder.json.skipValue()
      }
      more = try decoder.json.another(0x7d)
    }
    try decoder.json.finish()
  }
}
