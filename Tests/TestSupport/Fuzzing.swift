import Foundation

/// Makes inputs that are nearly valid: samples with some bytes changed, cut, doubled, or taken from elsewhere.
package struct Mutator: Sendable {
  package let seeds: [[UInt8]]
  private let tokens: [[UInt8]]
  private let limit: Int

  /// `tokens` are what the format's own rules are made of; no result grows much beyond `limit`.
  package init(seeds: [[UInt8]], tokens: [[UInt8]], limit: Int = 64 << 10) {
    self.seeds = seeds
    self.tokens = tokens
    self.limit = limit
  }

  package func next(_ generator: inout SplitMix64) -> [UInt8] { mutate(generator.pick(seeds), &generator) }

  package func mutate(_ bytes: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
    var result = bytes
    for _ in 0...generator.below(4) {
      let place = generator.below(result.count)
      switch generator.below(9) {
      case 0 where !result.isEmpty: result[place] = UInt8(truncatingIfNeeded: generator.next())
      case 1 where !result.isEmpty: result[place] ^= 1 << UInt8(generator.below(8))
      case 2 where !result.isEmpty: result[place] = generator.pick([0, 1, 0x7f, 0x80, 0xff])
      case 3: result.insert(contentsOf: generator.pick(tokens), at: place)
      case 4:
        let token = generator.pick(tokens)
        result.replaceSubrange(place..<min(result.count, place + token.count), with: token)
      case 5: result.removeSubrange(place..<min(result.count, place + generator.below(40)))
      case 6: result = Array(result[..<place])
      case 7:
        let other = generator.pick(seeds)
        let start = generator.below(other.count)
        result.insert(contentsOf: other[start..<min(other.count, start + generator.below(200))], at: place)
      default:
        let end = min(result.count, place + generator.below(60))
        result.insert(contentsOf: result[place..<end], at: place)
      }
    }
    return result.count > limit ? Array(result[..<limit]) : result
  }
}

/// A run of generated inputs: the same ones in every test run, so that a failure is the change's that it meets.
/// `KATA_FUZZ_SECONDS` makes it longer, with other inputs, and `KATA_FUZZ_SEED` repeats those.
package enum Fuzzing {
  /// Calls `body` with inputs' numbers until the time is over, at least once; prints how many there were, and the seed
  /// that gives the same ones again.
  package static func run(
    _ name: String, seconds: Double = 2, _ body: (inout SplitMix64) throws -> Void
  ) rethrows {
    let environment = ProcessInfo.processInfo.environment
    let longer = environment["KATA_FUZZ_SECONDS"].flatMap { Double($0) }
    let seconds = longer ?? seconds
    let seed =
      environment["KATA_FUZZ_SEED"].flatMap { UInt64($0) }
      ?? (longer == nil ? 1 : UInt64.random(in: 0..<1 << 32))
    var generator = SplitMix64(state: seed)
    let end = Date().addingTimeInterval(seconds)
    var inputs = 0
    // A trap leaves no time to say more.
    print("\(name): seed \(seed)")
    repeat {
      for _ in 0..<50 {
        try body(&generator)
        inputs += 1
      }
    } while Date() < end
    print("\(name): \(inputs) inputs, seed \(seed)")
  }
}
