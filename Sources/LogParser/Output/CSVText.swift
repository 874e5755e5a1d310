/// Fields of comma-separated values (RFC 4180), quoted where Go's `encoding/csv` quotes them. What is not UTF-8
/// becomes U+FFFD.
enum CSVText {
  /// Writes one field, in quotes if it needs them.
  @inline(__always)
  static func append(_ text: ByteSlice, to out: inout OutputBuffer) {
    if text.isEmpty { return }
    if text.isPlain, text[0] != 0x20, !text.contains(0x2c) {
      out.append(text)
    } else if needsQuotes(text) || startsWithSpace(text) || text == "\\." {
      out.append(0x22)
      appendInside(text, to: &out)
      out.append(0x22)
    } else {
      UTF8Text.append(text, to: &out)
    }
  }

  /// Whether a field that holds `text` must be quoted wherever in it the text stands.
  static func needsQuotes(_ text: ByteSlice) -> Bool {
    for byte in text.bytes where byte == 0x2c || byte == 0x22 || byte == 0x0a || byte == 0x0d { return true }
    return false
  }

  private static func startsWithSpace(_ text: ByteSlice) -> Bool {
    guard let scalar = UTF8Scalar.decode(text, at: 0).0 else { return false }
    return scalar.properties.isWhitespace
  }

  /// Writes text that stands between quotes.
  @inline(__always)
  static func appendInside(_ text: ByteSlice, to out: inout OutputBuffer) {
    if text.isPlain {
      out.append(text)
      return
    }
    var start = 0
    while let quote = text.firstIndex(of: 0x22, from: start) {
      UTF8Text.append(text.slice(start, quote + 1), to: &out)
      out.append(0x22)
      start = quote + 1
    }
    UTF8Text.append(text.dropFirst(start), to: &out)
  }
}

/// Text as it is, but for bytes that are not UTF-8, each of which becomes U+FFFD.
enum UTF8Text {
  @inline(__always)
  static func append(_ text: ByteSlice, to out: inout OutputBuffer) {
    if UTF8Scalar.isValid(text) { out.append(text) } else { appendRepaired(text, to: &out) }
  }

  private static func appendRepaired(_ text: ByteSlice, to out: inout OutputBuffer) {
    var index = 0
    while index < text.count {
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if scalar == nil { out.append("\u{fffd}") } else { out.append(text.slice(index, index + length)) }
      index += length
    }
  }
}
