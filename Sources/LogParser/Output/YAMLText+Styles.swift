import Bytes

/// The styles of a scalar.
extension YAMLText {
  mutating func putPlain(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    putFolded(text, doublingQuotes: false, to: &out)
  }

  mutating func putSingleQuoted(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    out.put(0x27)
    column += 1
    putFolded(text, doublingQuotes: true, to: &out)
    out.put(0x27)
    column += 1
  }

  mutating func putFolded(
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

  mutating func putDoubleQuoted(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
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

  mutating func putEscape(_ value: UInt32, to out: inout OutputBuffer.Cursor) {
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

  mutating func putHex(
    _ kind: UInt8, _ value: UInt32, bytes: UInt32, to out: inout OutputBuffer.Cursor
  ) {
    out.put(kind)
    for position in (0..<bytes).reversed() {
      out.put(hex: UInt8(truncatingIfNeeded: value >> (position * 8)), uppercase: true)
      column += 2
    }
  }

  /// A literal block scalar, with unchanged lines.
  mutating func putLiteral(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    out.put(0x7c)
    let first = YAMLCharacter(text, at: 0)
    if first.isSpace || first.isBreak { out.put(0x32) }
    if let hint = chomping(text) { out.put(hint) }
    out.put(0x0a)
    column = 0
    var isAtLineStart = true
    var index = 0
    // The last line end is that of the mapping value.
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

  /// The chomping indicator: `-` keeps no line end at the end of a block, `+` keeps all.
  private func chomping(_ text: ByteSlice) -> UInt8? {
    guard let last = YAMLCharacter(endingAt: text.count, of: text), last.isBreak else { return 0x2d }
    guard let before = YAMLCharacter(endingAt: text.count - last.length, of: text) else { return 0x2b }
    return before.isBreak ? 0x2b : nil
  }

  mutating func putBinary(_ text: ByteSlice, isSimpleKey: Bool, to out: inout OutputBuffer.Cursor) {
    out.put("!!binary ")
    let length = (text.count + 2) / 3 * 4
    if isSimpleKey || length < Self.base64LineLength {
      return Base64.encode(text) { out.put($0) }
    }
    out.put(0x7c)
    var written = 0
    Base64.encode(text) { character in
      if written % Self.base64LineLength == 0 {
        out.put(0x0a)
        Self.putSpaces(indent, to: &out)
      }
      out.put(character)
      written += 1
    }
  }

  private mutating func write(
    _ text: ByteSlice, _ index: Int, _ length: Int, _ out: inout OutputBuffer.Cursor
  ) {
    for offset in 0..<length { out.put(text[index + offset]) }
    column += 1
  }

  mutating func startLine(_ out: inout OutputBuffer.Cursor) {
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
