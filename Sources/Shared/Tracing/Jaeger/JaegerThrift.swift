import Bytes
import Encodings

/// Spans as Jaeger's Thrift `Batch`, and back. See `formats/jaeger-thrift`.
package enum JaegerThrift {
  /// Appends one `Span` structure, to be put into a batch by ``batch(process:spans:count:as:to:)``.
  package static func encode(_ span: borrowing Span, as format: ThriftProtocol, to out: inout ByteWriter) {
    var writer = ThriftWriter(format, ByteWriter(capacity: 2048))
    span.text.withUnsafeBytes { JaegerThriftEncoder(text: $0).span(span, &writer) }
    let bytes = writer.finish()
    out.put(bytes.bytes)
  }

  /// Appends the `Process` structure of a span.
  package static func encodeProcess(
    of span: borrowing Span, defaultService: String, as format: ThriftProtocol, to out: inout ByteWriter
  ) {
    var writer = ThriftWriter(format, ByteWriter(capacity: 512))
    span.text.withUnsafeBytes { JaegerThriftEncoder(text: $0).process(span, defaultService, &writer) }
    let bytes = writer.finish()
    out.put(bytes.bytes)
  }

  /// Appends a `Batch` of encoded spans of one encoded process; over UDP within the `emitBatch` message.
  package static func batch(
    process: UnsafeRawBufferPointer, spans: UnsafeRawBufferPointer, count: Int, as format: ThriftProtocol,
    to out: inout ByteWriter
  ) {
    var writer = ThriftWriter(format, ByteWriter(capacity: process.count + spans.count + 64))
    if format == .compact {
      // Protocol 0x82, version 1, type oneway (4), sequence number 0, the name; argument 1 is the batch.
      writer.out.put(0x82)
      writer.out.put(1 | 4 << 5)
      writer.out.put(0)
      writer.out.put(9)
      writer.out.put("emitBatch")
      writer.beginStruct()
      writer.field(1, .struct)
    }
    writer.beginStruct()
    writer.field(1, .struct)
    writer.out.put(process)
    writer.list(2, count: count)
    writer.out.put(spans)
    writer.endStruct()
    if format == .compact { writer.endStruct() }
    let bytes = writer.finish()
    out.put(bytes.bytes)
  }

  /// The most bytes that ``batch(process:spans:count:as:to:)`` adds to process and spans.
  package static let batchOverhead = 40

  /// Decodes a bare `Batch` in the binary protocol: each span is handed to `body` in the same reused value.
  package static func decodeBatch(
    _ message: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(),
    refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var decoder = JaegerThriftDecoder(reader: ByteReader(message), bytes: message, limits: limits)
    try decoder.batch(refused, body)
  }
}
