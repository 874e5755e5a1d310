import Bytes
import Glibc

/// What a guest's console prints: the kernel's lines, the agent's JSON, firmware noise, colours.
enum ConsoleText {
  /// The text without ANSI escape sequences (ECMA-48: CSI, OSC and the two-byte ones), carriage returns and other
  /// control characters except tab; the text itself if it has none.
  static func display(_ text: ByteSlice, _ arena: inout Arena) -> ByteSlice {
    guard hasControls(text) else { return text }
    let out = arena.reserve(text.count)
    var count = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == 0x1b {
        index = endOfEscape(text, from: index)
        continue
      }
      if (byte >= 0x20 && byte != 0x7f) || byte == 0x09 || byte == 0x0a {
        out[count] = byte
        count += 1
      }
      index += 1
    }
    return arena.commit(count)
  }

  static func hasControls(_ text: ByteSlice) -> Bool { !text.isPlain && text.hasControls }

  /// Where the escape sequence at `start` ends; one that is cut off ends with the text.
  private static func endOfEscape(_ text: ByteSlice, from start: Int) -> Int {
    var index = start + 1
    guard index < text.count else { return index }
    switch text[index] {
    case 0x5b:
      index += 1
      while index < text.count, text[index] >= 0x20, text[index] < 0x40 { index += 1 }
      // A byte that cannot end a sequence belongs to the text.
      return index < text.count && text[index] >= 0x40 && text[index] < 0x7f ? index + 1 : index
    case 0x5d, 0x50, 0x58, 0x5e, 0x5f:
      // Strings end with BEL or ESC \; without either only the introducer is dropped.
      var end = index + 1
      while end < text.count {
        if text[end] == 0x07 { return end + 1 }
        if text[end] == 0x1b, end + 1 < text.count, text[end + 1] == 0x5c { return end + 2 }
        end += 1
      }
      return index + 1
    case 0x20...0x2f:
      while index < text.count, text[index] >= 0x20, text[index] < 0x30 { index += 1 }
      return index < text.count && text[index] >= 0x30 && text[index] < 0x7f ? index + 1 : index
    case 0x30..<0x7f: return index + 1
    default: return index
    }
  }
}
