import Bytes
import Testing

struct SipHashTests {
  /// Appendix A of https://www.aumasson.jp/siphash/siphash.pdf
  @Test func hashOfTheSpecificationsExample() {
    let message = (0..<15).map { UInt8($0) }
    let hash = SipHash(key: (0..<16).map { UInt8($0) })
    #expect(message.withUnsafeBytes { hash.hash($0) } == 0xa129_ca61_49be_45e5)
  }
}
