import Bytes

/// Strings as JSON, escaped as Go's encoder escapes them: also `<`, `>` and `&`, and U+2028 and U+2029, so that the
/// text may stand in HTML and JavaScript. What is not UTF-8 becomes `\ufffd`.
enum JSONText {
  /// The most bytes that one byte of text becomes: `\u001b`.
  static let growth = 6

  /// Writes the text without its quotes.
  @inline(__always)
  static func put(_ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    if text.isPlain { out.put(text) } else { putEscaped(text, &out) }
  }

  @inline(never)
  private static func putEscaped(_ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        putASCII(byte, &out)
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      switch scalar?.value {
      case nil: out.put("\\ufffd")
      case 0x2028: out.put("\\u2028")
      case 0x2029: out.put("\\u2029")
      default: for offset in 0..<length { out.put(text[index + offset]) }
      }
      index += length
    }
  }

  @inline(__always)
  private static func putASCII(_ byte: UInt8, _ out: inout OutputBuffer.Cursor) {
    switch byte {
    case 0x22: out.put("\\\"")
    case 0x5c: out.put("\\\\")
    case 0x0a: out.put("\\n")
    case 0x0d: out.put("\\r")
    case 0x09: out.put("\\t")
    case 0x3c: out.put("\\u003c")
    case 0x3e: out.put("\\u003e")
    case 0x26: out.put("\\u0026")
    case 0..<0x20:
      out.put("\\u00")
      out.put(hex: byte)
    default: out.put(byte)
    }
  }
}
