import Bytes

/// Checks a message of OTLP logs against the limits and the rules for its fields: texts are UTF-8, ids have the right
/// length, and values nest no deeper than allowed.
struct OTLPLogsCheck {
  let bytes: UnsafeRawBufferPointer
  let limits: SpanLimits
  /// Attributes and elements so far, in the part that ``check(_:_:)`` was called for.
  private var values = 0

  init(bytes: UnsafeRawBufferPointer, limits: SpanLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  /// Checks a message with everything in it.
  mutating func check(_ message: OTLPLogsSchema.Message, _ content: ByteReader) throws(CodecError) {
    values = 0
    try check(message, content, depth: 0)
  }

  private mutating func check(
    _ message: OTLPLogsSchema.Message, _ content: ByteReader, depth: Int
  ) throws(CodecError) {
    guard depth <= limits.depth else { throw content.failure(.limit) }
    let fields = OTLPLogsSchema.fields(of: message)
    var attributes = 0
    var reader = content
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let value = try reader.protobufValue(wire)
      guard let place = OTLPLogsSchema.place(of: number, in: fields), fields[place].kind.wire == wire else {
        continue
      }
      switch fields[place].kind {
      case .message(let inner):
        if inner == .keyValue || inner == .value {
          values += 1
          attributes += 1
          guard values <= limits.values, inner == .value || attributes <= limits.attributes else {
            throw value.failure(.limit)
          }
        }
        try check(inner, value, depth: inner == .array || inner == .map ? depth + 1 : depth)
      case .string:
        guard value.remaining <= limits.textBytes else { throw value.failure(.limit) }
        guard value.isText(value.position, value.remaining) else { throw value.failure(.text) }
      case .bytes: guard value.remaining <= limits.textBytes else { throw value.failure(.limit) }
      case .id(let count):
        guard value.isAtEnd || value.remaining == count else { throw value.failure(.identifier) }
      case .bool, .number, .int64, .fixed64, .fixed32, .double: break
      }
    }
  }
}
