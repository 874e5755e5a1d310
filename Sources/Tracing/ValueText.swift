extension UnsafeRawBufferPointer {
  /// The bytes of a span's text; nothing when it is not within these.
  @inline(__always)
  subscript(_ piece: Span.Text) -> UnsafeRawBufferPointer {
    let start = Int(piece.offset)
    let length = Int(piece.count)
    guard start &+ length <= count, let baseAddress else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeRawBufferPointer(start: baseAddress + start, count: length)
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

  /// Puts the value as JSON. What is no number in JSON becomes a text: `"NaN"`, `"Infinity"`, `"-Infinity"`.
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
      var isFirst = true
      for element in span.elements[clamping: list] where depth < 32 {
        if !isFirst { out.put(0x2c) }
        isFirst = false
        put(element, of: span, text, to: &out, depth: depth + 1)
      }
      out.put(0x5d)
    case .map(let list):
      out.put(0x7b)
      var isFirst = true
      for member in span.attributes[clamping: list] where depth < 32 {
        if !isFirst { out.put(0x2c) }
        isFirst = false
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

/// Base64 of RFC 4648, section 4, with padding.
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func put(_ bytes: UnsafeRawBufferPointer, to out: inout ByteWriter) {
    var index = 0
    while index < bytes.count {
      let left = min(3, bytes.count - index)
      var group = UInt32(bytes[index]) << 16
      if left > 1 { group |= UInt32(bytes[index + 1]) << 8 }
      if left > 2 { group |= UInt32(bytes[index + 2]) }
      for place in 0..<4 {
        out.put(place <= left ? alphabet[Int(group >> (18 - 6 * UInt32(place)) & 63)] : 0x3d)
      }
      index += 3
    }
  }

  /// The bytes of standard or URL-safe base64 with or without padding; nil when it is neither.
  static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var group: UInt32 = 0
    var count = 0
    for byte in text {
      let value: UInt32
      switch byte {
      case 0x41...0x5a: value = UInt32(byte) - 0x41
      case 0x61...0x7a: value = UInt32(byte) - 0x61 + 26
      case 0x30...0x39: value = UInt32(byte) - 0x30 + 52
      case 0x2b, 0x2d: value = 62
      case 0x2f, 0x5f: value = 63
      case 0x3d: continue
      default: return nil
      }
      group = group << 6 | value
      count += 1
      if count % 4 == 0 {
        result += [
          UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8),
          UInt8(truncatingIfNeeded: group),
        ]
        group = 0
      }
    }
    switch count % 4 {
    case 1: return nil
    case 2: result.append(UInt8(truncatingIfNeeded: group >> 4))
    case 3: result += [UInt8(truncatingIfNeeded: group >> 10), UInt8(truncatingIfNeeded: group >> 2)]
    default: break
    }
    return result
  }
}
