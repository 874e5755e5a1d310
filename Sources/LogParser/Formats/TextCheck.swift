import Bytes
import Glibc

/// The rules for keys and values of a log record: printable characters and spaces, and none of the marks of Go's
/// formatting functions for wrong calls (https://pkg.go.dev/fmt#hdr-Format_errors).
enum TextCheck {
  /// What is wrong with `text`, or nil. Bytes that are not UTF-8 are accepted; formatters replace them.
  static func problem(in text: ByteSlice) -> String? {
    guard let index = firstRefused(in: text) else { return nil }
    if let mark = formatError(text, at: index) {
      return "\"\(mark)\" marks a wrong formatting call in the program that logged it"
    }
    let value = UTF8Scalar.decode(text, at: index).0?.value ?? 0xfffd
    return "the character \(hexadecimal(value)) is not printable"
  }

  /// The offset in `text` of the first thing that ``problem(in:)`` reports.
  static func firstRefused(in text: ByteSlice) -> Int? {
    if text.isPlain { return nil }
    var index = 0
    while index < text.count {
      index += text.printablePrefix(from: index)
      guard index < text.count else { return nil }
      let (isRefused, length) = look(text, at: index)
      if isRefused { return index }
      index += length
    }
    return nil
  }

  /// Whether the text at `index` is refused, and the length of the character there.
  static func look(_ text: ByteSlice, at index: Int) -> (isRefused: Bool, length: Int) {
    let byte = text[index]
    if byte < 0x80 {
      if byte < 0x20 { return (!(0x09...0x0d).contains(byte), 1) }
      return (byte == 0x7f || byte == 0x25 && formatError(text, at: index) != nil, 1)
    }
    let (scalar, length) = UTF8Scalar.decode(text, at: index)
    return (scalar.map { !isPrintableOrSpace($0) } ?? false, length)
  }

  private static func hexadecimal(_ value: UInt32) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// The mark of a formatting error that begins at the percent sign at `index`.
  private static func formatError(_ text: ByteSlice, at index: Int) -> String? {
    guard index + 1 < text.count, text[index] == 0x25, text[index + 1] == 0x21 else { return nil }
    let rest = text.dropFirst(index + 2)
    if rest.hasPrefix("(BADINDEX)") { return "%!(BADINDEX)" }
    if rest.hasPrefix("(BADPREC)") { return "%!(BADPREC)" }
    if rest.hasPrefix("(BADWIDTH)") { return "%!(BADWIDTH)" }
    if rest.hasPrefix("(EXTRA"), rest.count == 6 || !isWord(rest[6]) { return "%!(EXTRA" }
    if rest.count > 1, isWord(rest[0]), rest.dropFirst(1).hasPrefix("(MISSING)") {
      return "%!\(Character(Unicode.Scalar(rest[0])))(MISSING)"
    }
    return nil
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f: true
    default: false
    }
  }

  static func isPrintableOrSpace(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value == 0x85 || scalar.value == 0xa0 { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned: return false
    default: return true
    }
  }

  /// Whether the text is only white space.
  static func isBlank(_ text: ByteSlice) -> Bool { wordCount(text, limit: 1) == 0 }

  /// The number of words that white space separates, counted no further than `limit`.
  static func wordCount(_ text: ByteSlice, limit: Int) -> Int {
    var words = 0
    var isInWord = false
    var index = 0
    while index < text.count {
      let isSpace: Bool
      if text[index] < 0x80 {
        isSpace = text[index] == 0x20 || (0x09...0x0d).contains(text[index])
        index += 1
      } else {
        let (scalar, length) = UTF8Scalar.decode(text, at: index)
        isSpace = scalar?.properties.isWhitespace ?? false
        index += length
      }
      if !isSpace, !isInWord {
        words += 1
        if words >= limit { return words }
      }
      isInWord = !isSpace
    }
    return words
  }
}
