import Bytes

/// The features of a scalar that rule out styles, as in libyaml's analysis.
struct YAMLAnalysis {
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

/// One character of valid UTF-8, classified as in libyaml's emitter.
struct YAMLCharacter {
  var value: UInt32
  var length: Int

  init(_ text: ByteSlice, at index: Int) {
    let (scalar, length) = UTF8Scalar.decode(text, at: index)
    value = scalar?.value ?? 0xfffd
    self.length = length
  }

  /// The character before `end`; nil at the start of the text.
  init?(endingAt end: Int, of text: ByteSlice) {
    guard end > 0 else { return nil }
    var start = end - 1
    while start > 0, text[start] & 0xc0 == 0x80 { start -= 1 }
    self.init(text, at: start)
  }

  var isSpace: Bool { value == 0x20 }
  var isBreak: Bool { value == 0x0a || value == 0x0d || value == 0x85 || value == 0x2028 || value == 0x2029 }

  /// Characters outside the basic plane are not printable here: the emitter escapes them.
  var isPrintable: Bool {
    switch value {
    case 0x0a, 0x20...0x7e, 0xa0...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd: true
    default: false
    }
  }
}
