import TestSupport
import Testing

@testable import Delivery

/// Random faults: what was stored and set aside is what was sent, doubled are only chunks that were sent again, and no
/// position was ever ahead.
@Suite struct DeliveryPropertyTests {
  @Test(.seeded) func nothingIsLostWhateverTheReceiverDoes() {
    var generator = Seed.generator()
    for _ in 0..<300 { check(SplitMix64(state: generator.next())) }
  }

  private func check(_ seed: SplitMix64) {
    var generator = seed
    let bench = Bench()
    let badness = 2 + generator.below(8)
    let hasPoison = generator.oneIn(3)
    var choices = SplitMix64(state: generator.next())
    let receivers = (0...generator.below(2)).map { index in
      FakeReceiver(named: "receiver \(index)", depth: generator.oneIn(3) ? 1 : 8, bench.clock) { records in
        if hasPoison, records.contains(where: { $0.hasSuffix("!") }) { return .close(stores: false) }
        guard choices.oneIn(badness) else { return .acknowledge }
        return choices.pick([
          .close(stores: true), .close(stores: false), .silence(stores: true), .silence(stores: false),
          .acknowledgeAs("nobody"), .acknowledgeTwice, .busy(500), .refuse,
        ])
      }
    }
    for receiver in receivers { receiver.isThere = { !choices.oneIn(badness) } }
    let loop = bench.loop(receivers)
    var sent: [String] = []
    // The records that each position promises.
    var behind: [String: Int] = ["": 0]
    for number in 1...(10 + generator.below(40)) {
      let records = (0..<generator.below(12)).map { "\(number).\($0)\(generator.oneIn(40) ? "!" : "")" }
      sent += records
      behind[String(number)] = sent.count
      loop.add(
        records.isEmpty
          ? Chunk(id: "", bytes: [], ends: [], position: String(number)) : bench.chunk(number, records))
      for _ in 0..<generator.below(12) {
        loop.step(until: bench.clock.milliseconds + generator.below(2000))
        let known = safe(receivers, bench)
        let promised = bench.positions.saved.last.flatMap { behind[$0.place] } ?? 0
        #expect(sent[..<promised].allSatisfy(known.contains), "a position is ahead")
      }
    }
    // A lone bad record waits for others.
    for number in 1000..<2000 where !loop.isEmpty {
      if bench.run(loop, steps: 100) { break }
      sent.append("more \(number)")
      behind[String(number)] = sent.count
      loop.add(bench.chunk(number, ["more \(number)"]))
    }
    #expect(loop.isEmpty)
    loop.finish()
    #expect(safe(receivers, bench) == Set(sent))
    #expect(bench.positions.saved.last.flatMap { behind[$0.place] } == sent.count)
    for receiver in receivers {
      for (id, payloads) in Dictionary(grouping: receiver.sent, by: \.id) {
        #expect(Set(payloads.map(\.payload)).count == 1, "\(id) was sent again with other bytes")
      }
    }
    checkCopies(receivers)
  }

  private func safe(_ receivers: [FakeReceiver], _ bench: Bench) -> Set<String> {
    Set(receivers.flatMap { $0.stored.flatMap(\.records) } + bench.setAside.records)
  }

  /// A record that was stored twice was sent twice: in a chunk that was, or in one and in a half of it.
  private func checkCopies(_ receivers: [FakeReceiver]) {
    var stored: [String: Int] = [:]
    for record in receivers.flatMap({ $0.stored.flatMap(\.records) }) { stored[record, default: 0] += 1 }
    let all = receivers.flatMap(\.sent)
    for (record, count) in stored where count > 1 {
      let chances = all.count { $0.payload.contains(record) }
      #expect(chances >= count, "\(record) was stored \(count) times and sent \(chances) times")
    }
  }
}
