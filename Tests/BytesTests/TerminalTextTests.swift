import Testing

@testable import Bytes

/// What a terminal may be shown, and the filter that holds a stream to it.
struct TerminalTextTests {
  @Test(arguments: [
    ("plain ~", "plain ~"), ("\u{1b}]0;t\u{7}", #"\x1b]0;t\x07"#), ("a\nb\tc\r", #"a\x0ab\x09c\x0d"#),
    ("\u{0}\u{7f}", #"\x00\x7f"#), ("\u{80}\u{85}\u{9b}2J", #"\u0080\u0085\u009b2J"#),
    ("\u{a0}é日本 🚀 ключ", "\u{a0}é日本 🚀 ключ"), ("\u{ad}\u{61c}", #"\u00ad\u061c"#),
    ("\u{200b}\u{200e}\u{202e}\u{2066}\u{feff}", #"\u200b\u200e\u202e\u2066\ufeff"#),
    ("\u{2028}\u{2029}", #"\u2028\u2029"#), ("\u{e0041}\u{e0100}", #"\U000e0041\U000e0100"#),
    ("\u{3164}\u{115f}\u{fe0f}", #"\u3164\u115f\ufe0f"#),
    ("\u{e000}\u{ffff}\u{10fffd}", #"\ue000\uffff\U0010fffd"#),
  ])
  func lineShowsWhatATerminalWouldObey(_ text: String, _ shown: String) {
    #expect(TerminalText.line(text) == shown)
  }

  private func filtered(_ pieces: [[UInt8]]) -> String {
    var filter = TerminalFilter()
    var out: [UInt8] = []
    for piece in pieces { piece.withUnsafeBytes { filter.append($0, to: &out) } }
    filter.finish(to: &out)
    return String(validating: out, as: UTF8.self) ?? "not UTF-8"
  }

  @Test(
    arguments: [
      ([0x61, 0x0a, 0x09, 0x0d, 0x0a], "a\n\t\\x0d\n"), ([0xff, 0xc0, 0x80, 0x61], #"\xff\xc0\x80a"#),
      ([0xed, 0xa0, 0x80], #"\xed\xa0\x80"#), ([0xf5, 0x80], #"\xf5\x80"#), ([0xc2, 0x9b], #"\u009b"#),
      ([0xe2, 0x80], #"\xe2\x80"#), ([0xe2, 0x80, 0xae], #"\u202e"#), ([0xf0, 0x9f, 0x98, 0x80], "😀"),
      ([0xf0, 0x9f, 0x98, 0x61], #"\xf0\x9f\x98a"#), ([], ""),
    ] as [([UInt8], String)])
  func filterEscapesBytes(_ bytes: [UInt8], _ shown: String) {
    #expect(filtered([bytes]) == shown)
    #expect(filtered(bytes.map { [$0] }) == shown)
  }

  /// A stream is shown the same however it is cut.
  @Test func cutsDoNotMatter() {
    let pieces: [[UInt8]] = [
      [0x61], [0x0a], [0x1b], [0xc2, 0x85], [0xe2, 0x80, 0xae], [0xf3, 0xa0, 0x81, 0x81], [0xd0, 0xba],
      [0xff],
      [0xe2, 0x80], [0xf0, 0x9f, 0x98, 0x80], [0xf0, 0x9f], [0x80],
    ]
    var state: UInt64 = 11
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    for round in 0..<2000 {
      let bytes = (0..<random(12)).flatMap { _ in pieces[random(pieces.count)] }
      let first = random(bytes.count + 1)
      let second = first + random(bytes.count - first + 1)
      let cut = filtered([Array(bytes[..<first]), Array(bytes[first..<second]), Array(bytes[second...])])
      #expect(cut == filtered([bytes]), "round \(round): \(bytes), cut at \(first) and \(second)")
    }
  }
}
