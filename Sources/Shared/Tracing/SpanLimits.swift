/// Limits on one span. The sender is not trusted: a span over a limit is refused as a whole.
package struct SpanLimits: Sendable {
  package var attributes = 1024
  package var events = 1024
  package var links = 1024
  /// Bytes of one text.
  package var textBytes = 1 << 20
  /// Attributes of all kinds and elements of lists, of a whole span: an element that took one byte takes sixteen in
  /// memory.
  package var values = 1 << 16
  /// Lists within lists.
  package var depth = 8
  /// Bytes of a request's spans in memory. Each has the resource that the request names once, so a small request can
  /// ask for many times its own size.
  package var requestBytes = 128 << 20

  package init() {}

  /// For data that was already checked on arrival: bounded only by its own length.
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
