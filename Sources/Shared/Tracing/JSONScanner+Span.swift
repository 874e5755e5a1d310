import Bytes
import Encodings

extension JSONScanner {
  /// A string, appended to the span's texts.
  @inline(__always)
  mutating func text(_ span: inout Span, _ limits: SpanLimits) throws(CodecError) -> Span.Text {
    let offset = span.text.count
    try string(limit: limits.textBytes, into: &span.text)
    return Span.Text(offset, span.text.count - offset)
  }
}
