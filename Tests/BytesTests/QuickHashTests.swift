import Bytes
import TestSupport
import Testing

/// Equal bytes have equal hashes wherever they stand, and small differences change them.
@Suite struct QuickHashTests {
  @Test(arguments: 0..<70)
  func everyByteAndTheLengthCount(count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let hash = bytes.withUnsafeBytes { $0.quickHash }
    let shifted = [0] + bytes
    #expect(shifted.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[1...]).quickHash } == hash)
    #expect((bytes + [0]).withUnsafeBytes { $0.quickHash } != hash)
    for index in 0..<count {
      var other = bytes
      other[index] ^= 1
      #expect(other.withUnsafeBytes { $0.quickHash } != hash, "byte \(index) of \(count)")
    }
  }

  @Test func likeTextsHaveDifferentHashes() {
    let hashes = Set(
      (0..<20_000).map { number in Array("sandbox-\(number)-of-a-node".utf8).withUnsafeBytes { $0.quickHash }
      })
    #expect(hashes.count == 20_000)
  }
}
