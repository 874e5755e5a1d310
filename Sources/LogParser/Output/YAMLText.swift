import Bytes

/// Scalars of a YAML 1.1 block mapping, in the styles and with the line folding of Go's `yaml.v2` (libyaml's emitter
/// with a width of 80).
struct YAMLText {
  /// The maximum output size of one byte of text: an escape of four bytes, a doubled quote, and a new line before it
  /// with an indentation of at most six. The four bytes of one character become an escape of ten.
  static let growth = 16
  /// The maximum size of everything around the key and value of a field: indentations, quotes, `? `, `!!binary |`.
  static let fieldOverhead = 64

  /// Where a line is folded: at the first single space past this column.
  static let width = 80
  /// The maximum length in bytes of a key on the same line as its value.
  private static let simpleKeyLength = 128
  /// The number of Base64 characters per line.
  static let base64LineLength = 70

  private enum Style { case plain, singleQuoted, doubleQuoted, literal }

  /// The column of continuation lines.
  let indent: Int
  var column: Int
  let mayFold: Bool

  /// Writes `indent` spaces, `key: value` and a line end.
  static func put(key: ByteSlice, _ value: ByteSlice, indent: Int, to out: inout OutputBuffer.Cursor) {
    putSpaces(indent, to: &out)
    if key.isPlain, key.count <= simpleKeyLength, isSafePlain(key) {
      out.put(key)
      putValue(value, afterColumn: indent + key.count, indent: indent, to: &out)
      return
    }
    let analysis = YAMLAnalysis(key)
    let isBinary = !UTF8Scalar.isValid(key)
    if analysis.hasBreaks || key.count > simpleKeyLength || (isBinary && key.count > 80) {
      out.put("? ")
      var writer = YAMLText(indent: indent + 2, column: indent + 2, mayFold: true)
      writer.put(key, isSimpleKey: false, to: &out)
      out.put(0x0a)
      putSpaces(indent, to: &out)
      putValue(value, afterColumn: indent, indent: indent, to: &out)
    } else {
      var writer = YAMLText(indent: indent + 2, column: indent, mayFold: false)
      writer.put(key, isSimpleKey: true, to: &out)
      putValue(value, afterColumn: writer.column, indent: indent, to: &out)
    }
  }

  /// Writes `: value` and a line end after a key that ends at `column`.
  @inline(__always)
  static func putValue(
    _ value: ByteSlice, afterColumn column: Int, indent: Int, to out: inout OutputBuffer.Cursor
  ) {
    out.put(0x3a)
    out.put(0x20)
    let start = column + 2
    if value.isPlain, isSafePlain(value), start + value.count <= width || !value.contains(0x20) {
      out.put(value)
    } else {
      var writer = YAMLText(indent: indent + 2, column: start, mayFold: true)
      writer.put(value, isSimpleKey: false, to: &out)
    }
    out.put(0x0a)
  }

  /// Whether plain ASCII text can be unquoted; false means that a closer check is needed.
  @inline(__always)
  private static func isSafePlain(_ text: ByteSlice) -> Bool {
    guard let first = text.bytes.first else { return false }
    if !first.isLetter && first != 0x2f && first != 0x5f && first != 0x28 {
      return YAMLText.isSafeDigits(text)
    }
    if first.isLetter, text.count <= 5, YAMLResolver.needsQuotes(text) { return false }
    return hasNoIndicator(text)
  }

  private static func isSafeDigits(_ text: ByteSlice) -> Bool {
    guard text[0].isDigit else { return false }
    return !YAMLResolver.needsQuotes(text) && hasNoIndicator(text)
  }

  /// Whether the text has nothing that ends a plain scalar: a colon before a blank or the end, a blank before `#`, a
  /// trailing blank.
  @inline(__always)
  private static func hasNoIndicator(_ text: ByteSlice) -> Bool {
    guard text[text.count - 1] != 0x20 else { return false }
    return !text.contains(UInt8(ascii: ":"), or: UInt8(ascii: "#")) || hasNoIndicatorSlowly(text)
  }

  private static func hasNoIndicatorSlowly(_ text: ByteSlice) -> Bool {
    for index in 0..<text.count {
      if text[index] == 0x3a, index + 1 == text.count || text[index + 1] == 0x20 { return false }
      if text[index] == 0x23, index == 0 || text[index - 1] == 0x20 { return false }
    }
    return true
  }

  static func putSpaces(_ count: Int, to out: inout OutputBuffer.Cursor) {
    for _ in 0..<count { out.put(0x20) }
  }

  /// Writes one scalar. Text that is not UTF-8 becomes Base64 with the tag `!!binary`.
  private mutating func put(_ text: ByteSlice, isSimpleKey: Bool, to out: inout OutputBuffer.Cursor) {
    if text.printablePrefix(includingPercent: true) == text.count {
      return putPrintable(text, to: &out)
    }
    guard UTF8Scalar.isValid(text) else { return putBinary(text, isSimpleKey: isSimpleKey, to: &out) }
    let analysis = YAMLAnalysis(text)
    switch style(of: text, analysis, isSimpleKey: isSimpleKey) {
    case .plain: putPlain(text, to: &out)
    case .singleQuoted: putSingleQuoted(text, to: &out)
    case .doubleQuoted: putDoubleQuoted(text, to: &out)
    case .literal: putLiteral(text, to: &out)
    }
  }

  private func style(of text: ByteSlice, _ analysis: YAMLAnalysis, isSimpleKey: Bool) -> Style {
    if text.contains(0x0a) {
      // Readers treat these two as line ends, and add one to a block that ends with one of them.
      let hasSeparators = text.range(of: "\u{2028}") != nil || text.range(of: "\u{2029}") != nil
      return analysis.allowsBlock && !isSimpleKey && !hasSeparators ? .literal : .doubleQuoted
    }
    if YAMLResolver.needsQuotes(text) { return .doubleQuoted }
    if isSimpleKey && analysis.hasBreaks { return .doubleQuoted }
    if analysis.allowsPlain { return .plain }
    return analysis.allowsSingleQuotes ? .singleQuoted : .doubleQuoted
  }

  // MARK: Printable ASCII, as nearly every text is

  /// Writes a scalar of printable ASCII, in the same style that the general analysis would choose.
  private mutating func putPrintable(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    if YAMLResolver.needsQuotes(text) {
      if mayFold && column + text.count > Self.width || text.contains(0x22) || text.contains(0x5c) {
        return putDoubleQuoted(text, to: &out)
      }
      out.put(0x22)
      out.put(text)
      out.put(0x22)
      column += text.count + 2
    } else if Self.mayBePlain(text) {
      putWords(text, isQuoted: false, to: &out)
    } else {
      out.put(0x27)
      column += 1
      putWords(text, isQuoted: true, to: &out)
      out.put(0x27)
      column += 1
    }
  }

  /// Whether printable ASCII can be unquoted, as in libyaml's analysis.
  private static func mayBePlain(_ text: ByteSlice) -> Bool {
    guard !text.isEmpty, text[0] != 0x20, text[text.count - 1] != 0x20 else { return false }
    if text.hasPrefix("---") || text.hasPrefix("...") { return false }
    switch text[0] {
    case 0x23, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d, 0x26, 0x2a, 0x21, 0x7c, 0x3e, 0x27, 0x22, 0x25, 0x40, 0x60:
      return false
    case 0x3f, 0x2d: if text.count == 1 || text[1] == 0x20 { return false }
    default: break
    }
    return hasNoIndicator(text)
  }

  /// Writes words and spaces, with a line end instead of a single space past the width.
  private mutating func putWords(_ text: ByteSlice, isQuoted: Bool, to out: inout OutputBuffer.Cursor) {
    var index = 0
    while index < text.count {
      let space = text.firstIndex(of: 0x20, from: index) ?? text.count
      putWord(text.slice(index, space), isQuoted: isQuoted, to: &out)
      guard space < text.count else { return }
      index = space + 1
      let isFirst = space == 0 || text[space - 1] != 0x20
      let isLast = index == text.count || text[index] != 0x20
      let isInside = !isQuoted || (space > 0 && index < text.count)
      if mayFold, isFirst, isLast, isInside, column > Self.width {
        startLine(&out)
      } else {
        out.put(0x20)
        column += 1
      }
    }
  }

  private mutating func putWord(_ word: ByteSlice, isQuoted: Bool, to out: inout OutputBuffer.Cursor) {
    column += word.count
    guard isQuoted, word.contains(0x27) else { return out.put(word) }
    for byte in word.bytes {
      if byte == 0x27 {
        out.put(0x27)
        column += 1
      }
      out.put(byte)
    }
  }
}
