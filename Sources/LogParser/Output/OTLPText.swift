import Bytes

/// The parts of OTLP's messages, in protobuf's binary form. A tag is a field's number and its wire type; all numbers
/// here are below 16, so a tag is one byte.
enum OTLPText {
  /// The most bytes that one byte of text becomes: U+FFFD for a byte that is not UTF-8.
  static let growth = 3
  /// The most bytes around the texts of an attribute.
  static let attributeOverhead = 48

  /// Puts a text field, which is left out if it is empty.
  @inline(__always)
  static func put(_ field: UInt8, _ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    if text.isEmpty { return }
    putAll(field, text, &out)
  }

  /// Puts a text field, even if it is empty.
  @inline(__always)
  static func putAll(_ field: UInt8, _ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    out.put(field << 3 | 2)
    out.putDelimited { $0.put(utf8: text) }
  }

  /// Puts a constant text field.
  @inline(__always)
  static func put(_ field: UInt8, _ text: StaticString, _ out: inout OutputBuffer.Cursor) {
    out.put(field << 3 | 2)
    out.putDelimited { $0.put(text) }
  }

  /// Puts a text attribute as a `KeyValue` in field `field`.
  @inline(__always)
  static func put(
    _ field: UInt8, _ key: StaticString, _ value: ByteSlice, _ out: inout OutputBuffer.Cursor
  ) {
    out.put(field << 3 | 2)
    out.putDelimited { out in
      put(1, key, &out)
      putValue(value, &out)
    }
  }

  /// Puts an attribute whose key is `kata.`, then `data.` if that name is taken, then the record's own key.
  @inline(__always)
  static func put(
    _ field: UInt8, _ key: ByteSlice, isPrefixed: Bool, _ value: ByteSlice, _ out: inout OutputBuffer.Cursor
  ) {
    out.put(field << 3 | 2)
    out.putDelimited { out in
      out.put(1 << 3 | 2)
      out.putDelimited { out in
        out.put(isPrefixed ? "kata.data." : "kata.")
        out.put(utf8: key)
      }
      putValue(value, &out)
    }
  }

  /// Puts an attribute that is a number.
  @inline(__always)
  static func put(
    _ field: UInt8, _ key: StaticString, number: UInt64, _ out: inout OutputBuffer.Cursor
  ) {
    out.put(field << 3 | 2)
    out.putDelimited { out in
      put(1, key, &out)
      out.put(2 << 3 | 2)
      out.putDelimited { out in
        out.put(3 << 3)
        out.put(varint: number)
      }
    }
  }

  /// Puts an `AnyValue` of text as field 2 of a `KeyValue`.
  @inline(__always)
  private static func putValue(_ value: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    out.put(2 << 3 | 2)
    out.putDelimited { putAll(1, value, &$0) }
  }
}
