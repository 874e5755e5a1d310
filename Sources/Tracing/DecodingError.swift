/// Bytes that are not what they should be: why, and where.
package struct DecodingError: Error, Sendable, Equatable {
  package enum Reason: String, Sendable, CaseIterable {
    case truncated = "the data ends too early"
    case text = "a text is not UTF-8"
    case number = "a number is out of range"
    case tag = "a tag or enumeration value is unknown"
    case syntax = "the syntax is broken"
    case missing = "a required field is missing"
    case trailing = "something follows the end"
    case limit = "a limit on attributes, events, links, texts or nesting is exceeded"
    case identifier = "a trace or span id is zero or malformed"
  }

  package var reason: Reason
  /// The byte at which it was noticed, from 0.
  package var offset: Int

  package init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}

/// How much one span may hold. The sender is not trusted: what is over a limit is refused as a whole.
package struct SpanLimits: Sendable {
  package var attributes = 1024
  package var events = 1024
  package var links = 1024
  /// Bytes of one text.
  package var textBytes = 1 << 20
  /// Attributes of all kinds and elements of lists, of a whole span: an element that took one byte takes sixteen in memory.
  package var values = 1 << 16
  /// Lists within lists.
  package var depth = 8
  /// Bytes of a request's spans in memory. Each has the resource that the request names once, so a small request can ask
  /// for many times its own size.
  package var requestBytes = 128 << 20

  package init() {}

  /// For what was held to limits when it came in: only its own length bounds it.
  package static var none: SpanLimits {
    var limits = SpanLimits()
    limits.attributes = .max
    limits.events = .max
    limits.links = .max
    limits.textBytes = .max
    limits.values = .max
    limits.depth = 64
    limits.requestBytes = .max
    return limits
  }
}
