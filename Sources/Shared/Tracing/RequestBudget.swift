import Bytes

/// Holds the spans of one request to ``SpanLimits/requestBytes``.
struct RequestBudget {
  private var left: Int

  init(_ limits: SpanLimits) { left = limits.requestBytes }

  mutating func charge(_ span: borrowing Span, at offset: Int) throws(CodecError) {
    let size = span.memorySize
    guard size <= left else { throw CodecError(.limit, at: offset) }
    left -= size
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

  /// Begins a span of a resource and scope that were read before: they are read once for all their spans, so that a
  /// large one with many small spans takes no more time than its bytes and those of the spans.
  mutating func begin(with common: Span) {
    removeAll()
    text.append(contentsOf: common.text)
    attributes.append(contentsOf: common.attributes)
    elements.append(contentsOf: common.elements)
    resource = common.resource
    scope = common.scope
  }

  /// Whether this many more values are within the limit.
  @inline(__always)
  func hasRoom(for count: Int, _ limits: SpanLimits) -> Bool {
    count <= limits.values &- attributes.count &- elements.count
  }
}
