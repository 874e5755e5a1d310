/// Why bytes cannot be decoded, and where.
public struct CodecError: Error, Sendable, Equatable {
  public enum Reason: String, Sendable, CaseIterable {
    case truncated = "the data ends too early"
    case text = "a string is not UTF-8"
    case number = "a number is out of range"
    case tag = "a tag or enumeration value is unknown"
    case syntax = "the syntax is invalid"
    case missing = "a required field is missing"
    case trailing = "unexpected data after the end"
    case limit = "a limit on attributes, events, links, texts or nesting is exceeded"
    case identifier = "a trace or span id is zero or malformed"
  }

  public var reason: Reason
  /// The offset at which it was detected, from 0.
  public var offset: Int

  @inlinable public init(_ reason: Reason, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }
}
