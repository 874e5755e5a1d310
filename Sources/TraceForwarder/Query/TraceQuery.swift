import Tracing

/// What traces are searched for by. A trace is found when one of its spans fits all.
struct TraceQuery {
  var service: String?
  var operation: String?
  /// Values that a tag of the span, its logs or its process has.
  var tags: [(key: String, value: String)] = []
  /// Nanoseconds since 1970.
  var start: UInt64 = 0
  var end: UInt64 = .max
  var minDuration: UInt64 = 0
  var maxDuration: UInt64 = .max
  var limit = 100

  /// The newest first.
  func run(_ index: TraceIndex) -> [Trace] {
    var found: [Trace] = []
    for id in index.traces(service: service, from: start, to: end) where found.count < limit {
      if let trace = index.trace(id), trace.spans.contains(where: matches) { found.append(trace) }
    }
    return found
  }

  private func matches(_ span: Span) -> Bool {
    if let service, span.serviceName != service { return false }
    if let operation, span.string(span.name) != operation { return false }
    guard span.start >= start, span.start <= end, span.duration >= minDuration, span.duration <= maxDuration
    else { return false }
    return tags.allSatisfy { tag in hasTag(span, tag.key, tag.value) }
  }

  private func hasTag(_ span: Span, _ key: String, _ value: String) -> Bool {
    switch key {
    case "error" where value == "true": return span.status == .error
    case "error" where value == "false": return span.status != .error
    case "span.kind": return "\(span.kind)" == value
    case "otel.status_code":
      return span.status == .error && value == "ERROR" || span.status == .ok && value == "OK"
    default: break
    }
    let lists = [span.own, span.resource.attributes] + span.events.map(\.attributes)
    return lists.contains { list in
      span.attributes[clamping: list].contains { span.string($0.key) == key && text($0.value, span) == value }
    } || key == "event" && span.events.contains { span.string($0.name) == value }
  }

  private func text(_ value: Span.Value, _ span: Span) -> String {
    if case .string(let piece) = value { return span.string(piece) }
    var out = ByteWriter(capacity: 256)
    span.text.withUnsafeBytes { ValueText.put(value, of: span, $0, to: &out) }
    return out.string
  }
}

extension Array where Element == Span.Attribute {
  subscript(clamping list: Span.List) -> ArraySlice<Span.Attribute> {
    let upper = Swift.min(Int(list.first) + Int(list.count), count)
    return self[Swift.min(Int(list.first), upper)..<upper]
  }
}
