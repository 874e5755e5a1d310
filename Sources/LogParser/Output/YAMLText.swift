import Bytes

/// Scalars of a YAML 1.1 block mapping, in the styles and with the line folding of Go's `yaml.v2` (libyaml's emitter
/// with a width of 80).
struct YAMLText {
  /// The most bytes that one byte of text becomes: an escape of four, a doubled quote, and a line that begins before it
  /// with an indentation of at most six. Four bytes of one character become an escape of ten.
  static let growth = 16
  /// The most bytes that stand around the key and the value of one field: indentations, quotes, `? `, `!!binary |`.
  static let fieldOverhead = 64

  /// Where a line is folded: at the first single space past this column.
  private static let width = 80
  /// The longest key, in bytes, that stands on its value's line.
  private static let simpleKeyLength = 128

  private enum Style { case plain, singleQuoted, doubleQuoted, literal }

  /// The column of continuation lines.
  private let indent: Int
  private var column: Int
  private let mayFold: Bool

  /// Writes `key: value` and a line end, at a column of `indent` spaces, which are written too.
  static func put(key: ByteSlice, _ value: ByteSlice, indent: Int, to out: inout OutputBuffer.Cursor) {
    putSpaces(indent, to: &out)
    if key.isPlain, key.count <= simpleKeyLength, isSafePlain(key) {
      out.put(key)
      putValue(value, afterColumn: indent + key.count, indent: indent, to: &out)
      return
    }
    let analysis = Analysis(key)
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

  /// Writes `: value` and a line end, where the key ends at `column`.
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

  /// Whether plain ASCII text may stand unquoted; false says that it takes a closer look.
  @inline(__always)
  private static func isSafePlain(_ text: ByteSlice) -> Bool {
    guard let first = text.bytes.first else { return false }
    let isLetter = (first | 0x20) &- 0x61 < 26
    if !isLetter && first != 0x2f && first != 0x5f && first != 0x28 { return YAMLText.isSafeDigits(text) }
    if isLetter, text.count <= 5, YAMLResolver.needsQuotes(text) { return false }
    return hasNoIndicator(text)
  }

  private static func isSafeDigits(_ text: ByteSlice) -> Bool {
    guard text[0] &- 0x30 < 10 else { return false }
    return !YAMLResolver.needsQuotes(text) && hasNoIndicator(text)
  }

  /// Whether nothing in the text ends a plain scalar: a colon before a blank or the end, a blank before `#`, a blank
  /// at the end.
  @inline(__always)
  private static func hasNoIndicator(_ text: ByteSlice) -> Bool {
    guard text[text.count - 1] != 0x20 else { return false }
    var p = text.base
    var left = text.count
    while left > 0 {
      let v = ByteScanner.load(p)
      var marks = ByteScanner.bits(
        (v .== ByteScanner.Lanes(repeating: 0x3a)) .| (v .== ByteScanner.Lanes(repeating: 0x23)))
      if left < 16 { marks &= ByteScanner.lanes(under: left) }
      if marks != 0 { return hasNoIndicatorSlowly(text) }
      p += 16
      left -= 16
    }
    return true
  }

  private static func hasNoIndicatorSlowly(_ text: ByteSlice) -> Bool {
    for index in 0..<text.count {
      if text[index] == 0x3a, index + 1 == text.count || text[index + 1] == 0x20 { return false }
      if text[index] == 0x23, index == 0 || text[index - 1] == 0x20 { return false }
    }
    return true
  }

  private static func putSpaces(_ count: Int, to out: inout OutputBuffer.Cursor) {
    for _ in 0..<count { out.put(0x20) }
  }

  /// Writes one scalar. What is not UTF-8 becomes base64 under the tag `!!binary`.
  private mutating func put(_ text: ByteSlice, isSimpleKey: Bool, to out: inout OutputBuffer.Cursor) {
    if ByteScanner.printablePrefix(text.base, count: text.count, includingPercent: true) == text.count {
      return putPrintable(text, to: &out)
    }
    guard UTF8Scalar.isValid(text) else { return putBinary(text, isSimpleKey: isSimpleKey, to: &out) }
    let analysis = Analysis(text)
    switch style(of: text, analysis, isSimpleKey: isSimpleKey) {
    case .plain: putPlain(text, to: &out)
    case .singleQuoted: putSingleQuoted(text, to: &out)
    case .doubleQuoted: putDoubleQuoted(text, to: &out)
    case .literal: putLiteral(text, to: &out)
    }
  }

  private func style(of text: ByteSlice, _ analysis: Analysis, isSimpleKey: Bool) -> Style {
    if text.contains(0x0a) {
      // Readers take these two for line ends, and a block that ends in one for a longer text.
      let hasSeparators = text.range(of: "\u{2028}") != nil || text.range(of: "\u{2029}") != nil
      return analysis.allowsBlock && !isSimpleKey && !hasSeparators ? .literal : .doubleQuoted
    }
    if YAMLResolver.needsQuotes(text) { return .doubleQuoted }
    if isSimpleKey && analysis.hasBreaks { return .doubleQuoted }
    if analysis.allowsPlain { return .plain }
    return analysis.allowsSingleQuotes ? .singleQuoted : .doubleQuoted
  }

  /// What a scalar holds that rules out styles: libyaml's analysis.
  private struct Analysis {
    var allowsPlain = true
    var allowsSingleQuotes = true
    var allowsBlock = true
    var hasBreaks = false

    init(_ text: ByteSlice) {
      guard !text.isEmpty else {
        allowsBlock = false
        return
      }
      if text.hasPrefix("---") || text.hasPrefix("...") { allowsPlain = false }
      var follows = Neighbour.start
      var index = 0
      while index < text.count {
        let character = YAMLCharacter(text, at: index)
        let end = index + character.length
        note(text, index, end, character, follows)
        follows = character.isSpace ? .space : character.isBreak ? .lineBreak : .other
        index = end
      }
    }

    private enum Neighbour { case start, space, lineBreak, other }

    private mutating func note(
      _ text: ByteSlice, _ index: Int, _ end: Int, _ character: YAMLCharacter, _ before: Neighbour
    ) {
      if isIndicator(text, index, end, afterBlank: before != .other) { allowsPlain = false }
      if !character.isPrintable {
        allowsPlain = false
        allowsSingleQuotes = false
        allowsBlock = false
      }
      let isAtEdge = index == 0 || end == text.count
      if character.isSpace {
        if isAtEdge { allowsPlain = false }
        if end == text.count { allowsBlock = false }
        if before == .lineBreak {
          allowsPlain = false
          allowsSingleQuotes = false
        }
      } else if character.isBreak {
        hasBreaks = true
        allowsPlain = false
        if before == .space {
          allowsSingleQuotes = false
          allowsBlock = false
        }
      }
    }

    private func isIndicator(_ text: ByteSlice, _ index: Int, _ end: Int, afterBlank: Bool) -> Bool {
      let isBlankNext = end >= text.count || text[end] == 0x20 || text[end] == 0x09
      switch text[index] {
      case 0x23 where index > 0: return afterBlank
      case 0x3a: return isBlankNext
      case 0x23, 0x2c, 0x5b, 0x5d, 0x7b, 0x7d, 0x26, 0x2a, 0x21, 0x7c, 0x3e, 0x27, 0x22, 0x25, 0x40, 0x60:
        return index == 0
      case 0x3f, 0x2d: return index == 0 && isBlankNext
      default: return false
      }
    }
  }

  // MARK: Printable ASCII, which nearly every text is

  /// Writes a scalar of printable ASCII, in the style that the analysis of any text would choose for it.
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

  /// Whether printable ASCII may stand without quotes: libyaml's analysis of such a text.
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

  /// Writes words and the spaces between them, with a line end in place of a single space past the width.
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

  // MARK: Styles

  private mutating func putPlain(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    putFolded(text, doublingQuotes: false, to: &out)
  }

  private mutating func putSingleQuoted(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    out.put(0x27)
    column += 1
    putFolded(text, doublingQuotes: true, to: &out)
    out.put(0x27)
    column += 1
  }

  private mutating func putFolded(
    _ text: ByteSlice, doublingQuotes: Bool, to out: inout OutputBuffer.Cursor
  ) {
    var isAfterSpace = false
    var isAfterBreak = false
    var index = 0
    while index < text.count {
      let character = YAMLCharacter(text, at: index)
      if character.isSpace {
        let isInside = !doublingQuotes || (index > 0 && index < text.count - 1)
        let isSingle = index + 1 >= text.count || text[index + 1] != 0x20
        if mayFold, !isAfterSpace, column > Self.width, isInside, isSingle {
          startLine(&out)
        } else {
          write(text, index, 1, &out)
        }
        isAfterSpace = true
      } else if character.isBreak {
        write(text, index, character.length, &out)
        column = 0
        isAfterBreak = true
      } else {
        if isAfterBreak { indentLine(&out) }
        if doublingQuotes, text[index] == 0x27 {
          out.put(0x27)
          column += 1
        }
        write(text, index, character.length, &out)
        isAfterSpace = false
        isAfterBreak = false
      }
      index += character.length
    }
  }

  private mutating func putDoubleQuoted(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    out.put(0x22)
    column += 1
    // libyaml's test for a byte order mark looks at the start of the text at every character.
    let escapesAll = text.hasPrefix("\u{feff}")
    var isAfterSpace = false
    var index = 0
    while index < text.count {
      let character = YAMLCharacter(text, at: index)
      if character.isSpace, !escapesAll {
        if mayFold, !isAfterSpace, column > Self.width, index > 0, index < text.count - 1 {
          startLine(&out)
          if text[index + 1] == 0x20 {
            out.put(0x5c)
            column += 1
          }
        } else {
          write(text, index, 1, &out)
        }
        isAfterSpace = true
      } else {
        if escapesAll || !character.isPrintable || character.isBreak || text[index] == 0x22
          || text[index] == 0x5c
        {
          putEscape(character.value, to: &out)
        } else {
          write(text, index, character.length, &out)
        }
        isAfterSpace = false
      }
      index += character.length
    }
    out.put(0x22)
    column += 1
  }

  private mutating func putEscape(_ value: UInt32, to out: inout OutputBuffer.Cursor) {
    out.put(0x5c)
    column += 2
    switch value {
    case 0x00: out.put(0x30)
    case 0x07: out.put(0x61)
    case 0x08: out.put(0x62)
    case 0x09: out.put(0x74)
    case 0x0a: out.put(0x6e)
    case 0x0b: out.put(0x76)
    case 0x0c: out.put(0x66)
    case 0x0d: out.put(0x72)
    case 0x1b: out.put(0x65)
    case 0x22: out.put(0x22)
    case 0x5c: out.put(0x5c)
    case 0x85: out.put(0x4e)
    case 0xa0: out.put(0x5f)
    case 0x2028: out.put(0x4c)
    case 0x2029: out.put(0x50)
    case 0...0xff: putHex(0x78, value, bytes: 1, to: &out)
    case 0x100...0xffff: putHex(0x75, value, bytes: 2, to: &out)
    default: putHex(0x55, value, bytes: 4, to: &out)
    }
  }

  private mutating func putHex(
    _ kind: UInt8, _ value: UInt32, bytes: UInt32, to out: inout OutputBuffer.Cursor
  ) {
    out.put(kind)
    for position in (0..<bytes).reversed() {
      out.put(hex: UInt8(truncatingIfNeeded: value >> (position * 8)), uppercase: true)
      column += 2
    }
  }

  /// A block scalar, each of its lines as it is.
  private mutating func putLiteral(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    out.put(0x7c)
    let first = YAMLCharacter(text, at: 0)
    if first.isSpace || first.isBreak { out.put(0x32) }
    if let hint = chomping(text) { out.put(hint) }
    out.put(0x0a)
    column = 0
    var isAtLineStart = true
    var index = 0
    // The last line end is the one that every mapping value ends with.
    let count = text[text.count - 1] == 0x0a ? text.count - 1 : text.count
    while index < count {
      let character = YAMLCharacter(text, at: index)
      if !character.isBreak, isAtLineStart { indentLine(&out) }
      write(text, index, character.length, &out)
      isAtLineStart = character.isBreak
      if character.isBreak { column = 0 }
      index += character.length
    }
  }

  /// What says how the line ends at the end of a block are kept: `-` for none, `+` for all.
  private func chomping(_ text: ByteSlice) -> UInt8? {
    guard let last = YAMLCharacter(endingAt: text.count, of: text), last.isBreak else { return 0x2d }
    guard let before = YAMLCharacter(endingAt: text.count - last.length, of: text) else { return 0x2b }
    return before.isBreak ? 0x2b : nil
  }

  private mutating func putBinary(_ text: ByteSlice, isSimpleKey: Bool, to out: inout OutputBuffer.Cursor) {
    out.put("!!binary ")
    if isSimpleKey || (text.count + 2) / 3 * 4 < Base64.lineLength {
      Base64.put(text, to: &out)
      return
    }
    out.put(0x7c)
    Base64.put(text, linesIndentedBy: indent, to: &out)
  }

  // MARK: Pieces

  private mutating func write(
    _ text: ByteSlice, _ index: Int, _ length: Int, _ out: inout OutputBuffer.Cursor
  ) {
    for offset in 0..<length { out.put(text[index + offset]) }
    column += 1
  }

  private mutating func startLine(_ out: inout OutputBuffer.Cursor) {
    out.put(0x0a)
    column = 0
    indentLine(&out)
  }

  private mutating func indentLine(_ out: inout OutputBuffer.Cursor) {
    while column < indent {
      out.put(0x20)
      column += 1
    }
  }
}

/// One character of valid UTF-8, classed as libyaml's emitter classes it.
struct YAMLCharacter {
  var value: UInt32
  var length: Int

  init(_ text: ByteSlice, at index: Int) {
    let (scalar, length) = UTF8Scalar.decode(text, at: index)
    value = scalar?.value ?? 0xfffd
    self.length = length
  }

  /// The character that ends before `end`; nil at the start of the text.
  init?(endingAt end: Int, of text: ByteSlice) {
    guard end > 0 else { return nil }
    var start = end - 1
    while start > 0, text[start] & 0xc0 == 0x80 { start -= 1 }
    self.init(text, at: start)
  }

  var isSpace: Bool { value == 0x20 }
  var isBreak: Bool { value == 0x0a || value == 0x0d || value == 0x85 || value == 0x2028 || value == 0x2029 }

  /// Characters beyond the basic plane are not printable here: the emitter writes them as escapes.
  var isPrintable: Bool {
    switch value {
    case 0x0a, 0x20...0x7e, 0xa0...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd: true
    default: false
    }
  }
}

/// Base64 with padding (https://www.rfc-editor.org/rfc/rfc4648#section-4).
enum Base64 {
  private static let alphabet: StaticString =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// The characters on a line of a text of lines.
  static let lineLength = 70

  /// Writes the text on one line, or on lines of their own that are indented by as many spaces as given.
  static func put(
    _ bytes: ByteSlice, linesIndentedBy indent: Int? = nil, to out: inout OutputBuffer.Cursor
  ) {
    let digits = alphabet.utf8Start
    var written = 0
    func put(_ character: UInt8, _ out: inout OutputBuffer.Cursor) {
      if let indent, written % lineLength == 0 {
        out.put(0x0a)
        for _ in 0..<indent { out.put(0x20) }
      }
      out.put(character)
      written += 1
    }
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let second = left > 1 ? UInt32(bytes[index + 1]) : 0
      let third = left > 2 ? UInt32(bytes[index + 2]) : 0
      let group = UInt32(bytes[index]) << 16 | second << 8 | third
      put(digits[Int(group >> 18)], &out)
      put(digits[Int(group >> 12 & 63)], &out)
      put(left > 1 ? digits[Int(group >> 6 & 63)] : 0x3d, &out)
      put(left > 2 ? digits[Int(group & 63)] : 0x3d, &out)
      index += 3
    }
  }
}
