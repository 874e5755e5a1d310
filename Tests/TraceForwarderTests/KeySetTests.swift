import TestSupport
import Testing

@testable import TraceForwarder

struct KeySetTests {
  /// Against the standard library's set; small numbers collide in their place.
  @Test(arguments: 0..<20)
  func hasWhatWasInserted(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    let mask: UInt64 = generator.oneIn(2) ? .max : 0xf_0000_0fff
    var keys = KeySet()
    var model: Set<UInt64> = []
    for _ in 0..<5000 {
      let key = generator.next() & mask
      if generator.oneIn(2) {
        keys.insert(key)
        model.insert(key)
      }
      // 0 and 1 are one.
      if key > 1 { #expect(keys.contains(key) == model.contains(key), "seed \(seed), key \(key)") }
    }
    #expect(model.allSatisfy { keys.contains($0) })
    #expect(keys.count == model.count - (model.isSuperset(of: [0, 1]) ? 1 : 0))
  }
}
