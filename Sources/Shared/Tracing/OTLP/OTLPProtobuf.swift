import Bytes

/// OTLP's traces in protobuf's binary form. Source: opentelemetry-proto 1.x, `trace/v1/trace.proto`; see `formats/otlp`.
///
/// One span travels as one `ResourceSpans` message: requests, collector files and the spool are sequences of them.
package enum OTLPProtobuf {
  /// Field 1 of `ExportTraceServiceRequest` and `TracesData`, of wire type 2.
  package static let resourceSpansTag: UInt8 = 0x0a

  /// Appends a `ResourceSpans` message with this one span, without tag and length.
  package static func encode(_ span: Span, to out: inout ByteWriter) {
    span.text.withUnsafeBytes { OTLPProtobufEncoder(span: span, text: $0).resourceSpans(&out) }
  }

  /// Decodes a `ResourceSpans` message that has one span.
  package static func decode(
    _ message: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(), into span: inout Span
  ) throws(CodecError) {
    try OTLPProtobufDecoder(bytes: message, limits: limits).single(ByteReader(message), &span)
  }

  /// Decodes an `ExportTraceServiceRequest`: each span is handed to `body` in the same reused value. A broken span is
  /// handed to `refused`; what breaks the framing ends it all.
  package static func decodeRequest(
    _ message: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(),
    refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var decoder = OTLPProtobufDecoder(bytes: message, limits: limits)
    var span = Span()
    var reader = ByteReader(message)
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == 1, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      let part = try reader.protobufMessage()
      try decoder.resourceSpans(part, &span, refused: refused, body)
    }
  }
}

extension ByteReader {
  @inline(__always)
  mutating func protobufTag() throws(CodecError) -> (field: UInt64, wire: UInt8) {
    let tag = try varint()
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw failure(.tag) }
    return (tag >> 3, UInt8(tag & 7))
  }

  /// A reader of the message that follows as a field of wire type 2.
  @inline(__always)
  mutating func protobufMessage() throws(CodecError) -> ByteReader {
    let length = try varint()
    let start = try skip(length)
    return ByteReader(bytes, from: start, count: Int(length))
  }

  mutating func skipProtobuf(_ wire: UInt8) throws(CodecError) {
    switch wire {
    case 0: _ = try varint()
    case 1: _ = try skip(8)
    case 2: _ = try skip(try varint())
    case 5: _ = try skip(4)
    default: throw failure(.tag)
    }
  }
}
