import TestSupport

@testable import Bytes

/// The same things as in Bytes, done in the plainest way: what the fuzz tests compare with.
enum Naive {
  /// Bytes of which many matter to some scan.
  static func bytes(_ generator: inout SplitMix64, upTo limit: Int = 80) -> [UInt8] {
    let marks =
      Array("aaabcz09=\"\\ <>&%#:/\u{7f}".utf8) + [0, 9, 10, 0x1f, 0x80, 0xbf, 0xc3, 0xe2, 0xf0, 0xff]
    let isAnything = generator.oneIn(4)
    return (0..<generator.below(limit)).map { _ in
      isAnything ? UInt8(truncatingIfNeeded: generator.next()) : generator.pick(marks)
    }
  }

  /// A text of characters of every length, some of them at the borders of their ranges.
  static func text(_ generator: inout SplitMix64, upTo limit: Int = 24) -> String {
    let scalars: [Unicode.Scalar] = [
      "a", "\"", "\\", "\n", "\u{7f}", "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{202e}",
      "\u{ffff}", "\u{10000}", "\u{1f680}", "\u{10ffff}",
    ]
    var text = ""
    for _ in 0..<generator.below(limit) { text.unicodeScalars.append(generator.pick(scalars)) }
    return text
  }

  static func isPlain(_ byte: UInt8) -> Bool {
    (0x20..<0x7f).contains(byte) && !"\"\\<>&%".utf8.contains(byte)
  }

  /// The first byte from `start` on that `isStop`, or the end, and whether all before it are plain.
  static func stop(_ bytes: [UInt8], _ start: Int, _ isStop: (UInt8) -> Bool) -> (at: Int, isPlain: Bool) {
    let at = bytes[start...].firstIndex(where: isStop) ?? bytes.count
    return (at, bytes[start..<at].allSatisfy(isPlain))
  }

  static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
    var text = ""
    for start in stride(from: 0, to: bits.count, by: 6) {
      let six = bits[start..<min(bits.count, start + 6)] + [0, 0, 0, 0, 0, 0]
      text.append(alphabet[six.prefix(6).reduce(0) { $0 << 1 | Int($1) }])
    }
    while text.count % 4 != 0 { text += "=" }
    return text
  }
}
