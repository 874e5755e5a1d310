extension Span {
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
    count <= limits.values - attributes.count - elements.count
  }
}
