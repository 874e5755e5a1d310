import Bytes
import Encodings

extension UnsafeRawBufferPointer {
  /// The bytes of a span's text; nothing when it is not within these.
  @inline(__always)
  subscript(_ piece: Span.Text) -> UnsafeRawBufferPointer {
    part(from: Int(piece.offset), count: Int(piece.count))
  }
}

/// A value as text, for formats that have fewer types: lists and maps as JSON, bytes as base64, numbers in decimal.
package enum ValueText {
  /// The value as the bytes of a text where a format has no type for it; a text has no quotes then.
  static func plain(
    _ value: Span.Value, of span: borrowing Span, _ text: UnsafeRawBufferPointer
  ) -> ByteWriter {
    var out = ByteWriter(capacity: 256)
    switch value {
    case .empty: break
    case .string(let piece): out.put(text[piece])
    case .bytes(let piece): Base64.put(text[piece], to: &out)
    default: put(value, of: span, text, to: &out)
    }
    return out
  }

  /// Puts the value as JSON. A value that is not a number in JSON becomes a text: `"NaN"`, `"Infinity"`, `"-Infinity"`.
  package static func put(
    _ value: Span.Value, of span: borrowing Span, _ text: UnsafeRawBufferPointer, to out: inout ByteWriter,
    depth: Int = 0
  ) {
    switch value {
    case .empty: out.put("null")
    case .bool(let value): put(value, to: &out)
    case .int(let value): out.put(decimal: value)
    case .double(let value): put(value, to: &out)
    case .string(let piece): out.put(json: text[piece])
    case .bytes(let piece):
      out.put(0x22)
      Base64.put(text[piece], to: &out)
      out.put(0x22)
    case .array(let list, _):
      out.put(0x5b)
      out.put(list: span.elements[clamping: depth < 32 ? list : .none]) { element, out in
        put(element, of: span, text, to: &out, depth: depth + 1)
      }
      out.put(0x5d)
    case .map(let list):
      out.put(0x7b)
      out.put(list: span.attributes[clamping: depth < 32 ? list : .none]) { member, out in
        out.put(json: text[member.key])
        out.put(0x3a)
        put(member.value, of: span, text, to: &out, depth: depth + 1)
      }
      out.put(0x7d)
    }
  }

  @inline(__always)
  static func put(_ value: Bool, to out: inout ByteWriter) {
    if value { out.put("true") } else { out.put("false") }
  }

  static func put(_ value: Double, to out: inout ByteWriter) {
    if value.isFinite { return out.put(json: value) }
    out.put(value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
  }
}
