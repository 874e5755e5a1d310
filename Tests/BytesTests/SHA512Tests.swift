import Bytes
import Testing

@Suite struct SHA512Tests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// The examples of NIST's "Secure Hashing" page, and lengths around the end of a block.
  @Test(arguments: [
    (
      "",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
    ),
    (
      "abc",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
      "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"
    ),
  ])
  func knownDigests(text: String, digest: String) {
    #expect(hex(SHA512.digest(Array(text.utf8))) == digest)
  }

  @Test func millionLetters() {
    var hash = SHA512()
    for _ in 0..<1000 { hash.append([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
    #expect(
      hex(hash.finish())
        == "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"
    )
  }

  @Test(arguments: [111, 112, 113, 127, 128, 129, 239, 240])
  func piecesAndWholeAgree(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    var hash = SHA512()
    for byte in bytes { hash.append([byte]) }
    #expect(hash.finish() == SHA512.digest(bytes))
  }
}
