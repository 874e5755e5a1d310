import Bytes
import TestSupport
import Testing

/// The search for what may begin a secret, beside one that looks at each byte by itself.
@Suite struct SecretSignTests {
  private static let pairs: [StaticString] = [
    "--", "be", "ba", "Be", "Ba", "BE", "BA", "bE", "bA", "ey", "AK", "AS", "gh", "gi", "gl", "xo", "hv",
  ]

  private static func first(in bytes: [UInt8], from start: Int) -> Int {
    for index in start..<bytes.count {
      if bytes[index] == UInt8(ascii: "=") || bytes[index] == UInt8(ascii: ":") { return index }
      let found = pairs.contains { pair in
        index + 1 < bytes.count && bytes[index] == pair.utf8Start[0] && bytes[index + 1] == pair.utf8Start[1]
      }
      if found { return index }
    }
    return bytes.count
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func findsWhatByteByByteIsFound(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    let letters = Array("ABKSabeghilovxyz-- 0=:\u{e9}".utf8)
    for _ in 0..<2000 {
      let count = Int(generator.next() % 70)
      // Signs are rare in some texts, so that whole blocks have none.
      let plain = generator.next() % 2 == 0
      let bytes = (0..<count).map { _ in
        plain && generator.next() % 16 > 0 ? UInt8(ascii: "q") : generator.pick(letters)
      }
      let start = Int(generator.next() % UInt64(count + 1))
      let found = ByteSlice.withCopy(of: bytes) { $0.firstSecretSign(from: start) }
      #expect(found == Self.first(in: bytes, from: start), "seed \(seed), from \(start) of \(bytes)")
    }
  }

  /// What stands behind a part of a text makes no sign of its last byte that is found elsewhere than there.
  @Test func partsAreSearchedAlone() {
    let text = Array("plain text --".utf8)
    ByteSlice.withCopy(of: text) { whole in
      #expect(whole.firstSecretSign(from: 0) == 11)
      #expect(whole.prefix(11).firstSecretSign(from: 0) == 11)
      #expect(whole.prefix(12).firstSecretSign(from: 0) >= 11)
      #expect(whole.firstSecretSign(from: 13) == 13)
    }
  }
}
