import Bytes

/// Fields of comma-separated values (RFC 4180), quoted where Go's `encoding/csv` quotes them. Bytes that are not UTF-8
/// become U+FFFD.
enum CSVText {
  /// The maximum output size of one byte of text: U+FFFD.
  static let growth = 3

  /// Writes one field, in quotes if it needs them.
  @inline(__always)
  static func put(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    if text.isEmpty { return }
    if text.isPlain, text[0] != 0x20, !text.contains(0x2c) {
      out.put(text)
    } else if needsQuotes(text) || startsWithSpace(text) || text == "\\." {
      out.put(0x22)
      putInside(text, to: &out)
      out.put(0x22)
    } else {
      UTF8Text.put(text, to: &out)
    }
  }

  /// Whether a field that contains `text` anywhere must be quoted.
  static func needsQuotes(_ text: ByteSlice) -> Bool {
    for byte in text.bytes where byte == 0x2c || byte == 0x22 || byte == 0x0a || byte == 0x0d { return true }
    return false
  }

  private static func startsWithSpace(_ text: ByteSlice) -> Bool {
    guard let scalar = UTF8Scalar.decode(text, at: 0).0 else { return false }
    return scalar.properties.isWhitespace
  }

  /// Writes text between quotes.
  @inline(__always)
  static func putInside(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    if text.isPlain {
      out.put(text)
      return
    }
    var start = 0
    while let quote = text.firstIndex(of: 0x22, from: start) {
      UTF8Text.put(text.slice(start, quote + 1), to: &out)
      out.put(0x22)
      start = quote + 1
    }
    UTF8Text.put(text.dropFirst(start), to: &out)
  }
}

/// Text as it is, except that each byte that is not UTF-8 becomes U+FFFD.
enum UTF8Text {
  @inline(__always)
  static func put(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    if UTF8Scalar.isValid(text) { out.put(text) } else { putRepaired(text, to: &out) }
  }

  private static func putRepaired(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    var index = 0
    while index < text.count {
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if scalar == nil { out.put("\u{fffd}") } else { out.put(text.slice(index, index + length)) }
      index += length
    }
  }
}
