/// Scalars of a YAML 1.1 block mapping, in the styles and with the line folding of Go's `yaml.v2` (libyaml's emitter
/// with a width of 80).
struct YAMLText {
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
  static func append(key: ByteSlice, _ value: ByteSlice, indent: Int, to out: inout OutputBuffer) {
    appendSpaces(indent, to: &out)
    if key.isPlain, key.count <= simpleKeyLength, isSafePlain(key) {
      out.append(key)
      appendValue(value, afterColumn: indent + key.count, indent: indent, to: &out)
      return
    }
    let analysis = Analysis(key)
    let isBinary = !UTF8Scalar.isValid(key)
    if analysis.hasBreaks || key.count > simpleKeyLength || (isBinary && key.count > 80) {
      out.append("? ")
      var writer = YAMLText(indent: indent + 2, column: indent + 2, mayFold: true)
      writer.append(key, isSimpleKey: false, to: &out)
      out.append(0x0a)
      appendSpaces(indent, to: &out)
      appendValue(value, afterColumn: indent, indent: indent, to: &out)
    } else {
      var writer = YAMLText(indent: indent + 2, column: indent, mayFold: false)
      writer.append(key, isSimpleKey: true, to: &out)
      appendValue(value, afterColumn: writer.column, indent: indent, to: &out)
    }
  }

  /// Writes `: value` and a line end, where the key ends at `column`.
  @inline(__always)
  static func appendValue(
    _ value: ByteSlice, afterColumn column: Int, indent: Int, to out: inout OutputBuffer
  ) {
    out.append(0x3a)
    out.append(0x20)
    let start = column + 2
    if value.isPlain, isSafePlain(value), start + value.count <= width || !value.contains(0x20) {
      out.append(value)
    } else {
      var writer = YAMLText(indent: indent + 2, column: start, mayFold: true)
      writer.append(value, isSimpleKey: false, to: &out)
    }
    out.append(0x0a)
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
      var marks =
        (v .== ByteScanner.Lanes(repeating: 0x3a)) .| (v .== ByteScanner.Lanes(repeating: 0x23))
      if left < 16 { marks .&= ByteScanner.lanes(under: left) }
      if ByteScanner.isAnySet(marks) { return hasNoIndicatorSlowly(text) }
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

  private static func appendSpaces(_ count: Int, to out: inout OutputBuffer) {
    for _ in 0..<count { out.append(0x20) }
  }

  /// Writes one scalar. What is not UTF-8 becomes base64 under the tag `!!binary`.
  private mutating func append(_ text: ByteSlice, isSimpleKey: Bool, to out: inout OutputBuffer) {
    guard UTF8Scalar.isValid(text) else { return appendBinary(text, isSimpleKey: isSimpleKey, to: &out) }
    let analysis = Analysis(text)
    switch style(of: text, analysis, isSimpleKey: isSimpleKey) {
    case .plain: appendPlain(text, to: &out)
    case .singleQuoted: appendSingleQuoted(text, to: &out)
    case .doubleQuoted: appendDoubleQuoted(text, to: &out)
    case .literal: appendLiteral(text, to: &out)
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

  // MARK: Styles

  private mutating func appendPlain(_ text: ByteSlice, to out: inout OutputBuffer) {
    appendFolded(text, doublingQuotes: false, to: &out)
  }

  private mutating func appendSingleQuoted(_ text: ByteSlice, to out: inout OutputBuffer) {
    out.append(0x27)
    column += 1
    appendFolded(text, doublingQuotes: true, to: &out)
    out.append(0x27)
    column += 1
  }

  private mutating func appendFolded(
    _ text: ByteSlice, doublingQuotes: Bool, to out: inout OutputBuffer
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
          out.append(0x27)
          column += 1
        }
        write(text, index, character.length, &out)
        isAfterSpace = false
        isAfterBreak = false
      }
      index += character.length
    }
  }

  private mutating func appendDoubleQuoted(_ text: ByteSlice, to out: inout OutputBuffer) {
    out.append(0x22)
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
            out.append(0x5c)
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
          appendEscape(character.value, to: &out)
        } else {
          write(text, index, character.length, &out)
        }
        isAfterSpace = false
      }
      index += character.length
    }
    out.append(0x22)
    column += 1
  }

  private mutating func appendEscape(_ value: UInt32, to out: inout OutputBuffer) {
    let before = out.count
    out.append(0x5c)
    switch value {
    case 0x00: out.append(0x30)
    case 0x07: out.append(0x61)
    case 0x08: out.append(0x62)
    case 0x09: out.append(0x74)
    case 0x0a: out.append(0x6e)
    case 0x0b: out.append(0x76)
    case 0x0c: out.append(0x66)
    case 0x0d: out.append(0x72)
    case 0x1b: out.append(0x65)
    case 0x22: out.append(0x22)
    case 0x5c: out.append(0x5c)
    case 0x85: out.append(0x4e)
    case 0xa0: out.append(0x5f)
    case 0x2028: out.append(0x4c)
    case 0x2029: out.append(0x50)
    case 0...0xff: appendHex(0x78, value, bytes: 1, to: &out)
    case 0x100...0xffff: appendHex(0x75, value, bytes: 2, to: &out)
    default: appendHex(0x55, value, bytes: 4, to: &out)
    }
    column += out.count - before
  }

  private func appendHex(_ kind: UInt8, _ value: UInt32, bytes: UInt32, to out: inout OutputBuffer) {
    out.append(kind)
    for position in (0..<bytes).reversed() {
      out.append(hex: UInt8(truncatingIfNeeded: value >> (position * 8)), uppercase: true)
    }
  }

  /// A block scalar, each of its lines as it is.
  private mutating func appendLiteral(_ text: ByteSlice, to out: inout OutputBuffer) {
    out.append(0x7c)
    let first = YAMLCharacter(text, at: 0)
    if first.isSpace || first.isBreak { out.append(0x32) }
    if let hint = chomping(text) { out.append(hint) }
    out.append(0x0a)
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

  private mutating func appendBinary(_ text: ByteSlice, isSimpleKey: Bool, to out: inout OutputBuffer) {
    out.append("!!binary ")
    let lineLength = 70
    let encoded = (text.count + 2) / 3 * 4
    guard encoded > lineLength - 1 || isSimpleKey else {
      Base64.append(text, to: &out)
      return
    }
    if isSimpleKey {
      Base64.append(text, to: &out)
      return
    }
    out.append(0x7c)
    var line = OutputBuffer(capacity: encoded + 16)
    Base64.append(text, to: &line)
    var start = 0
    while start < line.count {
      out.append(0x0a)
      Self.appendSpaces(indent, to: &out)
      let end = min(start + lineLength, line.count)
      out.append(UnsafeRawBufferPointer(rebasing: line.bytes[start..<end]))
      start = end
    }
  }

  // MARK: Pieces

  private mutating func write(_ text: ByteSlice, _ index: Int, _ length: Int, _ out: inout OutputBuffer) {
    for offset in 0..<length { out.append(text[index + offset]) }
    column += 1
  }

  private mutating func startLine(_ out: inout OutputBuffer) {
    out.append(0x0a)
    column = 0
    indentLine(&out)
  }

  private mutating func indentLine(_ out: inout OutputBuffer) {
    while column < indent {
      out.append(0x20)
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

  static func append(_ bytes: ByteSlice, to out: inout OutputBuffer) {
    let digits = alphabet.utf8Start
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let second = left > 1 ? UInt32(bytes[index + 1]) : 0
      let third = left > 2 ? UInt32(bytes[index + 2]) : 0
      let group = UInt32(bytes[index]) << 16 | second << 8 | third
      out.append(digits[Int(group >> 18)])
      out.append(digits[Int(group >> 12 & 63)])
      out.append(left > 1 ? digits[Int(group >> 6 & 63)] : 0x3d)
      out.append(left > 2 ? digits[Int(group & 63)] : 0x3d)
      index += 3
    }
  }
}
