import Bytes

/// Strings as JSON, escaped as Go's encoder escapes them: also `<`, `>` and `&`, and U+2028 and U+2029, so that the
/// text is safe in HTML and JavaScript. Bytes that are not UTF-8 become `\ufffd`.
enum JSONText {
  /// The maximum output size of one byte of text: `\u001b`.
  static let growth = 6

  /// Writes the text without its quotes.
  @inline(__always)
  static func put(_ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    if text.isPlain { out.put(text) } else { putEscaped(text, &out) }
  }

  @inline(never)
  private static func putEscaped(_ text: ByteSlice, _ out: inout OutputBuffer.Cursor) {
    var index = 0
    while true {
      let run = text.plainPrefix(from: index)
      out.put(text.part(index, index + run, isPlain: true))
      index += run
      guard index < text.count else { return }
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
    case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"),
      UInt8(ascii: "&"):
      out.put(escaped: byte, .withoutBackspaceAndFormFeed)
    default: out.put(byte)
    }
  }
}
