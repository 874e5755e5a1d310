import Bytes

/// Holds the spans of one request to ``SpanLimits/requestBytes``, and takes them one by one: the same way for every format
/// in which a request names a resource once for many spans.
struct RequestBudget {
  private var left: Int

  init(_ limits: SpanLimits) { left = limits.requestBytes }

  mutating func charge(_ span: borrowing Span, at offset: Int) throws(CodecError) {
    let size = span.memorySize
    guard size <= left else { throw CodecError(.limit, at: offset) }
    left -= size
  }

  /// Reads the next span of a request and charges it; returns why it is refused, if it is. Throws when the request's spans
  /// are too large, which ends the request.
  ///
  /// - Parameters:
  ///   - common: the resource and scope that the span has with others.
  ///   - problem: what is wrong with them, for which every one of their spans is refused.
  mutating func next(
    _ span: inout Span, of common: Span, _ problem: CodecError?, at offset: Int,
    _ read: (inout Span) throws(CodecError) -> Void
  ) throws(CodecError) -> CodecError? {
    span.begin(with: common)
    var failure = problem
    if failure == nil {
      do throws(CodecError) { try read(&span) } catch { failure = error }
    }
    try charge(span, at: offset)
    return failure
  }
}

extension Span {
  /// Bytes of the texts and values that it holds, about.
  var memorySize: Int {
    text.count + attributes.count * MemoryLayout<Attribute>.stride + elements.count
      * MemoryLayout<Value>.stride
      + events.count * MemoryLayout<Event>.stride + links.count * MemoryLayout<Link>.stride
      + states.count * MemoryLayout<StateEntry>.stride
  }
}
