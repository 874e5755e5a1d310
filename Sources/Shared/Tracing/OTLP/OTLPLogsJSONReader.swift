import Bytes
import Encodings

/// Converts OTLP logs from OTLP's variant of protobuf JSON to protobuf's binary form.
///
/// It checks syntax and types. Limits and ids are checked when the binary form is read, so that there is only one such
/// check.
struct OTLPLogsJSONReader {
  /// The deepest nesting of messages: values may have 8 levels, each of which takes up to three objects.
  private static let depthLimit = 48

  private var json: JSONScanner
  private var text: [UInt8] = []

  init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) { json = try JSONScanner(bytes) }

  /// Writes the whole document, which must be an object of this message.
  mutating func read(_ message: OTLPLogsSchema.Message, into out: inout ByteWriter) throws(CodecError) {
    try object(message, &out, depth: 0)
    try json.finish()
  }

  private mutating func object(
    _ message: OTLPLogsSchema.Message, _ out: inout ByteWriter, depth: Int
  ) throws(CodecError) {
    guard depth < Self.depthLimit else { throw json.failure(.limit) }
    let fields = OTLPLogsSchema.fields(of: message)
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      let field = fields.first { key == $0.name }
      // protobuf's JSON form takes null for any member as the member's default.
      if let field, json.peek() != UInt8(ascii: "n") {
        if field.isRepeated {
          var another = try json.beginArray()
          while another {
            try value(field, &out, depth)
            another = try json.another(UInt8(ascii: "]"))
          }
        } else {
          try value(field, &out, depth)
        }
      } else {
        try json.skipValue()
      }
      more = try json.another(UInt8(ascii: "}"))
    }
  }

  private mutating func value(
    _ field: OTLPLogsSchema.Field, _ out: inout ByteWriter, _ depth: Int
  ) throws(CodecError) {
    out.varint(field.number << 3 | UInt64(field.kind.wire))
    switch field.kind {
    case .message(let message):
      let start = out.count
      try object(message, &out, depth: depth + 1)
      out.insertLength(at: start)
    case .string: try string(&out)
    case .bytes:
      guard let bytes = Base64.decode(try json.string().utf8) else { throw json.failure() }
      out.varint(UInt64(bytes.count))
      out.put(bytes)
    case .id(let count): try id(count, &out)
    case .bool: out.put(try json.bool() ? 1 : 0)
    case .number: out.varint(UInt64(UInt32(clamping: try json.quotedUnsigned())))
    case .int64: out.varint(UInt64(bitPattern: try json.quotedSigned()))
    case .fixed64: out.little(try json.quotedUnsigned())
    case .fixed32: out.little(UInt32(clamping: try json.quotedUnsigned()))
    case .double: out.little(try json.quotedDouble().bitPattern)
    }
  }

  private mutating func string(_ out: inout ByteWriter) throws(CodecError) {
    text.removeAll(keepingCapacity: true)
    try json.string(limit: .max, into: &text)
    out.varint(UInt64(text.count))
    out.put(text)
  }

  /// Hexadecimal digits; an empty text is a missing id.
  private mutating func id(_ count: Int, _ out: inout ByteWriter) throws(CodecError) {
    text.removeAll(keepingCapacity: true)
    try json.string(limit: 64, into: &text)
    guard text.isEmpty || text.count == count * 2 else { throw json.failure(.identifier) }
    out.varint(UInt64(text.count / 2))
    for place in stride(from: 0, to: text.count, by: 2) {
      guard let high = HexDigit.value(text[place]), let low = HexDigit.value(text[place + 1]) else {
        throw json.failure(.identifier)
      }
      out.put(UInt8(truncatingIfNeeded: high << 4 | low))
    }
  }
}

/// Numbers in protobuf's JSON form, which may also be strings.
extension JSONScanner {
  /// A number without a sign, with or without quotes.
  mutating func quotedUnsigned() throws(CodecError) -> UInt64 {
    let isText = take(UInt8(ascii: "\""))
    let value = try unsigned(UInt64.self)
    if isText { try expect(UInt8(ascii: "\"")) }
    return value
  }

  /// A whole number, with or without quotes.
  mutating func quotedSigned() throws(CodecError) -> Int64 {
    let isText = take(UInt8(ascii: "\""))
    let value = try signed()
    if isText { try expect(UInt8(ascii: "\"")) }
    return value
  }

  /// A number, with or without quotes, or one of the texts `NaN`, `Infinity`, `-Infinity`.
  mutating func quotedDouble() throws(CodecError) -> Double {
    guard peek() == UInt8(ascii: "\"") else { return try double() }
    let text = try string()
    switch text {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default:
      // Swift also accepts hexadecimal and words, which JSON does not have.
      guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }), let value = Double(text),
        value.isFinite
      else { throw failure(.number) }
      return value
    }
  }
}
