import Bytes
import Tracing

/// The conditions of a search. A trace is found if one of its spans meets all of them.
struct TraceQuery {
  /// Nil for any.
  var service: String?
  var operation: String?
  /// Values of attributes of the span, its events, its links, its scope or its resource, or of tags that represent a
  /// field.
  var tags: [(key: String, value: String)] = []
  /// Nanoseconds since 1970, of a span's start.
  var start: UInt64 = 0
  var end: UInt64 = .max
  var minDuration: UInt64 = 0
  var maxDuration: UInt64 = .max
  /// Traces to find.
  var limit = 100

  /// The maximum number of traces in one answer, whatever limit is requested.
  static let mostTraces = 1500

  /// The traces found, the newest first, and whether there may be more that the limits of the answer left out.
  func run(_ index: TraceIndex, _ reader: SpanReader) -> (traces: [Trace], isCut: Bool) {
    var found: [Trace] = []
    for (id, isSure) in index.candidates(self) {
      if found.count >= limit { break }
      guard let entry = index.entry(id) else { continue }
      if reader.spansLeft < (found.isEmpty ? 1 : entry.spans.count) { return (found, true) }
      let needsLook = !isSure || !tags.isEmpty
      if let trace = Trace(id, entry, reader, matching: needsLook ? self : nil), trace.isMatch {
        found.append(trace)
      }
    }
    return (found, false)
  }

  func fits(start: UInt64, duration: UInt64) -> Bool {
    start >= self.start && start <= end && duration >= minDuration && duration <= maxDuration
  }

  func matches(_ span: borrowing Span) -> Bool {
    guard fits(start: span.start, duration: span.duration) else { return false }
    if let service, span.serviceName != service { return false }
    if let operation, span.string(span.name) != operation { return false }
    for tag in tags where !Self.has(span, tag.key, tag.value) { return false }
    return true
  }

  private static func has(_ span: borrowing Span, _ key: String, _ value: String) -> Bool {
    switch key {
    case "error":
      if value == "true", span.status == .error { return true }
      if value == "false", span.status != .error { return true }
    case "span.kind": if span.kind.word == value { return true }
    case "otel.status_code":
      if span.status == .error && value == "ERROR" || span.status == .ok && value == "OK" { return true }
    case "otel.status_description": if span.string(span.statusMessage) == value { return true }
    case "otel.scope.name": if span.string(span.scope.name) == value { return true }
    case "otel.scope.version": if span.string(span.scope.version) == value { return true }
    case "event":
      for index in span.events.indices where span.string(span.events[index].name) == value { return true }
    default: break
    }
    if has(span, span.own, key, value) || has(span, span.resource.attributes, key, value)
      || has(span, span.scope.attributes, key, value)
    {
      return true
    }
    for index in span.events.indices where has(span, span.events[index].attributes, key, value) {
      return true
    }
    for index in span.links.indices where has(span, span.links[index].attributes, key, value) {
      return true
    }
    return false
  }

  private static func has(_ span: borrowing Span, _ list: Span.List, _ key: String, _ value: String) -> Bool {
    for attribute in span.attributes[clamping: list]
    where span.string(attribute.key) == key && isText(value, attribute.value, span) {
      return true
    }
    return false
  }

  /// Whether a value equals this text.
  private static func isText(_ text: String, _ value: Span.Value, _ span: borrowing Span) -> Bool {
    switch value {
    case .string(let piece): return span.string(piece) == text
    case .double(let number) where number.isFinite: return Double(text) == number
    default:
      var out = ByteWriter(capacity: 256)
      span.text.withUnsafeBytes { ValueText.put(value, of: span, $0, to: &out) }
      return out.string == text || out.string == "\"\(text)\""
    }
  }
}
