/// Strings as JSON, escaped as Go's encoder escapes them: also `<`, `>` and `&`, and U+2028 and U+2029, so that the
/// text may stand in HTML and JavaScript. What is not UTF-8 becomes `\ufffd`.
enum JSONText {
  /// Writes the text without its quotes.
  @inline(__always)
  static func append(_ text: ByteSlice, to out: inout OutputBuffer) {
    if text.isPlain || text.isEmpty { out.append(text) } else { appendEscaped(text, to: &out) }
  }

  @inline(never)
  private static func appendEscaped(_ text: ByteSlice, to out: inout OutputBuffer) {
    // Six bytes for one is the most that an escape takes.
    out.reserve(text.count * 6)
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        appendASCII(byte, to: &out)
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if let scalar {
        switch scalar.value {
        case 0x2028: out.append("\\u2028")
        case 0x2029: out.append("\\u2029")
        default: for offset in 0..<length { out.append(text[index + offset]) }
        }
      } else {
        out.append("\\ufffd")
      }
      index += length
    }
  }

  @inline(__always)
  private static func appendASCII(_ byte: UInt8, to out: inout OutputBuffer) {
    switch byte {
    case 0x22: out.append("\\\"")
    case 0x5c: out.append("\\\\")
    case 0x0a: out.append("\\n")
    case 0x0d: out.append("\\r")
    case 0x09: out.append("\\t")
    case 0x3c: out.append("\\u003c")
    case 0x3e: out.append("\\u003e")
    case 0x26: out.append("\\u0026")
    case 0..<0x20:
      out.append("\\u00")
      out.append(hex: byte)
    default: out.append(byte)
    }
  }
}
