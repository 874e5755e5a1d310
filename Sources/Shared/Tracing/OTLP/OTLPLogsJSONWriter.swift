import Bytes
import Encodings

/// Converts OTLP logs from protobuf's binary form to OTLP's variant of protobuf JSON.
struct OTLPLogsJSONWriter {
  /// The deepest nesting of messages; anything deeper is left out.
  private static let depthLimit = 96

  let bytes: UnsafeRawBufferPointer

  /// Puts a message as an object. Unknown fields are left out.
  func put(
    _ message: OTLPLogsSchema.Message, _ content: ByteReader, _ out: inout ByteWriter, depth: Int = 0
  ) throws(CodecError) {
    out.put(UInt8(ascii: "{"))
    if depth < Self.depthLimit {
      if OTLPLogsSchema.isOneOf(message) {
        try putOneOf(message, content, &out, depth)
      } else {
        try putFields(message, content, &out, depth)
      }
    }
    out.put(UInt8(ascii: "}"))
  }

  private func putOneOf(
    _ message: OTLPLogsSchema.Message, _ content: ByteReader, _ out: inout ByteWriter, _ depth: Int
  ) throws(CodecError) {
    let fields = OTLPLogsSchema.fields(of: message)
    var last: (place: Int, value: ByteReader)?
    var reader = content
    while !reader.isAtEnd {
      let (number, wire) = try reader.protobufTag()
      let value = try reader.protobufValue(wire)
      guard let place = OTLPLogsSchema.place(of: number, in: fields), fields[place].kind.wire == wire else {
        continue
      }
      last = (place, value)
    }
    guard let last else { return }
    Self.putName(fields[last.place].name, isFirst: true, &out)
    try putValue(fields[last.place].kind, last.value, &out, depth)
  }

  private func putFields(
    _ message: OTLPLogsSchema.Message, _ content: ByteReader, _ out: inout ByteWriter, _ depth: Int
  ) throws(CodecError) {
    var isFirst = true
    for field in OTLPLogsSchema.fields(of: message) {
      var found: ByteReader?
      var reader = content
      while !reader.isAtEnd {
        let (number, wire) = try reader.protobufTag()
        let value = try reader.protobufValue(wire)
        guard number == field.number, wire == field.kind.wire else { continue }
        if !field.isRepeated {
          found = value
          continue
        }
        if found == nil {
          Self.putName(field.name, isFirst: isFirst, &out)
          isFirst = false
        }
        out.put(found == nil ? UInt8(ascii: "[") : UInt8(ascii: ","))
        try putValue(field.kind, value, &out, depth)
        found = value
      }
      guard let found else { continue }
      if field.isRepeated {
        out.put(UInt8(ascii: "]"))
        continue
      }
      Self.putName(field.name, isFirst: isFirst, &out)
      isFirst = false
      try putValue(field.kind, found, &out, depth)
    }
  }

  private static func putName(_ name: StaticString, isFirst: Bool, _ out: inout ByteWriter) {
    out.put(isFirst ? "\"" : ",\"")
    out.put(name)
    out.put("\":")
  }

  private func putValue(
    _ kind: OTLPLogsSchema.Kind, _ content: ByteReader, _ out: inout ByteWriter, _ depth: Int
  ) throws(CodecError) {
    var content = content
    switch kind {
    case .message(let message): try put(message, content, &out, depth: depth + 1)
    case .string: out.put(json: bytes.part(content.position..<content.end))
    case .bytes:
      out.put(UInt8(ascii: "\""))
      Base64.put(bytes.part(content.position..<content.end), to: &out)
      out.put(UInt8(ascii: "\""))
    case .id:
      out.put(UInt8(ascii: "\""))
      while !content.isAtEnd { out.put(hexByte: try content.byte()) }
      out.put(UInt8(ascii: "\""))
    case .bool: ValueText.put(try content.varint() != 0, to: &out)
    case .number: out.put(decimal: UInt64(UInt32(truncatingIfNeeded: try content.varint())))
    case .int64:
      out.put(UInt8(ascii: "\""))
      out.put(decimal: Int64(bitPattern: try content.varint()))
      out.put(UInt8(ascii: "\""))
    case .fixed64:
      out.put(UInt8(ascii: "\""))
      out.put(decimal: try content.little(UInt64.self))
      out.put(UInt8(ascii: "\""))
    case .fixed32: out.put(decimal: UInt64(try content.little(UInt32.self)))
    case .double: ValueText.put(Double(bitPattern: try content.little(UInt64.self)), to: &out)
    }
  }
}

extension ByteReader {
  /// Skips the field's value and returns a reader of it; for a delimited value, of the bytes after its length.
  @inline(__always)
  mutating func protobufValue(_ wire: UInt8) throws(CodecError) -> ByteReader {
    if wire == 2 { return try protobufMessage() }
    let start = position
    try skipProtobuf(wire)
    return ByteReader(bytes, from: start, count: position - start)
  }
}

extension ByteWriter {
  /// Puts two hexadecimal digits.
  fileprivate mutating func put(hexByte byte: UInt8) {
    put(HexDigit.character(byte >> 4))
    put(HexDigit.character(byte & 15))
  }
}
