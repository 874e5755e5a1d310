/// How many columns of a terminal a character takes.
///
/// As in terminals: two for characters that East Asian Width calls wide or full-width
/// (https://www.unicode.org/reports/tr11/) and for emoji, none for combining marks, one for all others. Only defined
/// for characters that ``TerminalText/isShown(_:)`` accepts.
package enum DisplayWidth {
  /// Wide blocks that are not emoji, in order. Unassigned characters in between are never shown.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f,
    0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6,
    0x1_6fe0...0x1_8dff, 0x1_aff0...0x1_b2ff, 0x1_f200...0x1_f2ff, 0x2_0000...0x3_fffd,
  ]

  /// The columns of a character: 0, 1 or 2.
  package static func columns(_ scalar: Unicode.Scalar) -> Int {
    let value = scalar.value
    // All characters below this have width one.
    if value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: return 0
    default: break
    }
    // The vowels and final consonants of a Hangul syllable that is spelt out join its first one.
    if (0x1160...0x11ff).contains(value) { return 0 }
    if value < 0x1100 { return 1 }
    if wide.contains(where: { $0.contains(value) }) { return 2 }
    return scalar.properties.isEmojiPresentation ? 2 : 1
  }
}
