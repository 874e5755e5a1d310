import System
import Testing

@testable import Delivery

@Suite struct DeliveryLoopTests {
  /// Does something once, then acknowledges.
  private func once(_ act: FakeReceiver.Act) -> ([String]) -> FakeReceiver.Act {
    var isFirst = true
    return { _ in
      defer { isFirst = false }
      return isFirst ? act : .acknowledge
    }
  }

  @Test func chunksGoInOrderWithoutWaitingForEachOther() {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock) { _ in .acknowledge }
    let loop = bench.loop([receiver])
    for number in 1...3 { loop.add(bench.chunk(number, ["\(number)"])) }
    for _ in 0..<4 { loop.step(until: bench.clock.milliseconds + 1000) }
    #expect(receiver.sent.map(\.id) == ["c1", "c2", "c3"])
    #expect(bench.run(loop))
    #expect(bench.positions.saved.last?.place == "3")
    #expect(loop.statistics.acknowledgedRecords == 3)
    #expect(loop.statistics.resentChunks == 0)
    #expect(bench.events.isEmpty)
  }

  static let faults: [(FakeReceiver.Act, isStored: Bool)] = [
    (.close(stores: false), false), (.close(stores: true), true), (.silence(stores: false), false),
    (.silence(stores: true), true), (.acknowledgeAs("other"), true), (.busy(5000), false),
  ]

  @Test(arguments: faults)
  func chunkIsSentAgainWithTheSameBytesOnAnotherConnection(_ act: FakeReceiver.Act, isStored: Bool) {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock, once(act))
    let loop = bench.loop([receiver])
    for number in 1...3 { loop.add(bench.chunk(number, ["a\(number)", "b\(number)"])) }
    #expect(bench.run(loop))
    #expect(receiver.connections == 2)
    let first = receiver.sent.filter { $0.id == "c1" }
    #expect(first.count == 2)
    #expect(Set(first.map(\.payload)) == ["a1b1"])
    #expect(receiver.stored.filter { $0.id == "c1" }.count == (isStored ? 2 : 1))
    #expect(Set(receiver.stored.flatMap(\.records)).count == 6)
    #expect(loop.statistics.halvedChunks == 0)
    #expect(loop.statistics.failing == nil)
    #expect(bench.events.count == 2, "a failure, and its end: \(bench.events)")
    #expect(bench.positions.saved.last?.place == "3")
  }

  @Test func acknowledgingTwiceIsNoFault() {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock) { _ in .acknowledgeTwice }
    let loop = bench.loop([receiver])
    for number in 1...3 { loop.add(bench.chunk(number, ["\(number)"])) }
    #expect(bench.run(loop))
    #expect(receiver.connections == 1)
    #expect(receiver.sent.count == 3)
  }

  @Test func positionWaitsForTheFirstChunk() {
    let bench = Bench()
    bench.settings.acknowledgementTimeout = 5000
    var isLost = true
    let receiver = FakeReceiver(bench.clock) { records in
      records == ["1"] && isLost ? .silence(stores: false) : .acknowledge
    }
    let loop = bench.loop([receiver])
    for number in 1...5 { loop.add(bench.chunk(number, ["\(number)"])) }
    for _ in 0..<8 { loop.step(until: bench.clock.milliseconds + 1000) }
    #expect(receiver.stored.count == 4)
    #expect(bench.positions.saved.isEmpty)
    isLost = false
    #expect(bench.run(loop))
    #expect(bench.positions.saved.map(\.place) == ["5"])
  }

  @Test func positionIsSavedOnceASecondAtMost() {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock) { _ in .acknowledge }
    let loop = bench.loop([receiver])
    for number in 1...4000 {
      loop.add(bench.chunk(number, ["x"]))
      while !loop.isEmpty { loop.step(until: bench.clock.milliseconds + 10) }
    }
    loop.finish()
    let times = bench.positions.saved.map(\.time)
    #expect(times.count > 3)
    for (one, next) in zip(times, times.dropFirst().dropLast()) { #expect(next - one >= 1000) }
    #expect(bench.positions.saved.last?.place == "4000")
  }

  @Test func positionThatCannotBeSavedIsTriedAgain() {
    let bench = Bench()
    bench.positions.fails = true
    let loop = bench.loop([FakeReceiver(bench.clock) { _ in .acknowledge }])
    loop.add(bench.chunk(1, ["x"]))
    while !loop.isEmpty { loop.step(until: bench.clock.milliseconds + 10) }
    for _ in 0..<5 { loop.step(until: bench.clock.milliseconds + 1000) }
    #expect(bench.positions.saved.isEmpty)
    #expect(!bench.events.isEmpty)
    bench.positions.fails = false
    loop.step(until: bench.clock.milliseconds + 2000)
    loop.step(until: bench.clock.milliseconds + 2000)
    #expect(bench.positions.saved.last?.place == "1")
  }

  @Test func positionAloneIsSavedBehindTheChunksBeforeIt() {
    let bench = Bench()
    let loop = bench.loop([FakeReceiver(bench.clock) { _ in .acknowledge }])
    loop.add(bench.chunk(1, ["x"]))
    loop.add(Chunk(id: "", bytes: [], ends: [], position: "2"))
    #expect(bench.positions.saved.isEmpty)
    #expect(bench.run(loop))
    #expect(bench.positions.saved.last?.place == "2")
  }

  // MARK: Receivers that are away

  @Test func pausesGrowToAMinuteAndEndWithAnAcknowledgement() {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock) { _ in .acknowledge }
    var attempts: [Int] = []
    var isThere = false
    receiver.isThere = {
      attempts.append(bench.clock.milliseconds)
      return isThere
    }
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, ["x"]))
    while attempts.count < 10 { loop.step(until: bench.clock.milliseconds + 100_000) }
    let pauses = zip(attempts, attempts.dropFirst()).map { ($1 - $0) / 1000 }
    #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60])
    #expect(bench.events.count == 1, "the same reason is told once: \(bench.events)")
    #expect(loop.statistics.failing?.failure.reason == "fake: connect: Connection refused")
    isThere = true
    #expect(bench.run(loop))
    #expect(loop.statistics.failing == nil)
    #expect(bench.events.count == 2)
    loop.add(bench.chunk(2, ["y"]))
    isThere = false
    receiver.disconnect()
    attempts = []
    while attempts.count < 3 { loop.step(until: bench.clock.milliseconds + 100_000) }
    #expect(attempts[2] - attempts[1] < 3000, "the pauses start again at the shortest")
  }

  @Test func patienceEndsTheDelivery() {
    let bench = Bench()
    bench.settings.patience = 100_000
    let receiver = FakeReceiver(bench.clock) { _ in .acknowledge }
    receiver.isThere = { false }
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, ["x"]))
    let start = bench.clock.milliseconds
    #expect(!bench.run(loop))
    #expect(loop.end?.reason == "fake: connect: Connection refused")
    #expect((100_000...101_000).contains(bench.clock.milliseconds - start))
    #expect(bench.positions.saved.isEmpty)
  }

  @Test func receiverThatAsksForTimeGetsIt() {
    let bench = Bench()
    let receiver = FakeReceiver(depth: 1, bench.clock, once(.busy(120_000)))
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, ["x"]))
    let start = bench.clock.milliseconds
    #expect(bench.run(loop))
    #expect(bench.clock.milliseconds - start >= 120_000)
  }

  @Test func secondReceiverIsUsedWhileTheFirstIsAway() {
    let bench = Bench()
    let first = FakeReceiver(named: "first", bench.clock) { _ in .acknowledge }
    let second = FakeReceiver(named: "second", bench.clock) { _ in .acknowledge }
    var isThere = false
    first.isThere = { isThere }
    let loop = bench.loop([first, second])
    loop.add(bench.chunk(1, ["1"]))
    #expect(bench.run(loop))
    #expect(second.stored.map(\.records) == [["1"]])
    isThere = true
    bench.clock.milliseconds += 61_000
    loop.add(bench.chunk(2, ["2"]))
    #expect(bench.run(loop))
    #expect(first.stored.map(\.records) == [["2"]], "the first is preferred again")
    #expect(bench.events.contains { $0.contains("switched") })
  }

  @Test func wrongKeyIsTriedAtTheSlowestPaceAndBlamesNoChunk() {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock) { _ in .acknowledge }
    var attempts: [Int] = []
    let refusing = Refusing(bench.clock) { attempts.append(bench.clock.milliseconds) }
    let loop = bench.loop([refusing])
    loop.add(bench.chunk(1, ["x", "y"]))
    while attempts.count < 3 { loop.step(until: bench.clock.milliseconds + 100_000) }
    #expect(attempts[1] - attempts[0] >= 60_000)
    #expect(loop.statistics.halvedChunks == 0)
    _ = receiver
  }

  private final class Refusing: Receiver {
    let name = "refusing"
    let attempt: () -> Void
    init(_ clock: TestClock, _ attempt: @escaping () -> Void) { self.attempt = attempt }
    func connect(until deadline: Int) throws(DeliveryFailure) {
      attempt()
      throw DeliveryFailure(.misconfigured, "shared_key mismatch", remedy: "check --shared-key-file")
    }
    func send(_ chunk: Chunk, until deadline: Int) throws(DeliveryFailure) {}
    func acknowledgements(until deadline: Int, orRaised wakeup: Wakeup?) throws(DeliveryFailure)
      -> [Acknowledgement]
    { [] }
  }

  // MARK: Chunks that are not taken

  private func poison(_ act: FakeReceiver.Act) -> ([String]) -> FakeReceiver.Act {
    { records in records.contains("poison") ? act : .acknowledge }
  }

  static let refusals: [FakeReceiver.Act] = [.close(stores: false), .silence(stores: false), .refuse]

  @Test(arguments: refusals)
  func oneBadRecordIsSetAsideAndTheOthersArrive(_ act: FakeReceiver.Act) {
    let bench = Bench()
    let receiver = FakeReceiver(depth: act == .refuse ? 1 : 8, bench.clock, poison(act))
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, (0..<100).map { $0 == 42 ? "poison" : "a\($0)" }))
    // Others go on coming, as in a stream.
    for number in 2...400 where !loop.isEmpty {
      loop.add(bench.chunk(number, ["x\(number)"]))
      for _ in 0..<40 { loop.step(until: bench.clock.milliseconds + 1000) }
    }
    #expect(bench.run(loop))
    #expect(bench.setAside.records == ["poison"])
    #expect(loop.statistics.setAsideRecords == 1)
    #expect(loop.statistics.halvedChunks >= 6)
    let stored = receiver.stored.flatMap(\.records)
    #expect(Set(stored).count == stored.count)
    #expect(Set(stored).isSuperset(of: (0..<100).filter { $0 != 42 }.map { "a\($0)" }))
  }

  @Test(arguments: refusals)
  func loneBadRecordIsHeldUntilAnotherIsAcknowledged(_ act: FakeReceiver.Act) {
    let bench = Bench()
    let receiver = FakeReceiver(depth: act == .refuse ? 1 : 8, bench.clock, poison(act))
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, ["poison"]))
    #expect(!bench.run(loop, steps: 200))
    #expect(bench.setAside.records.isEmpty)
    #expect(loop.statistics.failing != nil)
    for number in 2...20 where !loop.isEmpty {
      loop.add(bench.chunk(number, ["x"]))
      for _ in 0..<10 { loop.step(until: bench.clock.milliseconds + 100_000) }
    }
    #expect(bench.run(loop))
    #expect(bench.setAside.records == ["poison"])
  }

  @Test(arguments: refusals)
  func receiverThatTakesNothingIsHeldAndNothingIsSetAside(_ act: FakeReceiver.Act) {
    let bench = Bench()
    var isBroken = true
    let receiver = FakeReceiver(depth: act == .refuse ? 1 : 8, bench.clock) { _ in
      isBroken ? act : .acknowledge
    }
    let loop = bench.loop([receiver])
    for number in 1...8 { loop.add(bench.chunk(number, (0..<1000).map { "\(number).\($0)" })) }
    #expect(!bench.run(loop, steps: 5000))
    #expect(bench.setAside.records.isEmpty)
    #expect(loop.statistics.halvedChunks < 12, "a receiver that is at fault divides one chunk")
    isBroken = false
    #expect(bench.run(loop))
    #expect(Set(receiver.stored.flatMap(\.records)).count == 8000)
    #expect(bench.positions.saved.last?.place == "8")
  }

  @Test func receiverWithASmallerLimitGetsSmallerChunks() {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock) { records in
      records.count > 100 ? .close(stores: false) : .acknowledge
    }
    let loop = bench.loop([receiver])
    let start = bench.clock.milliseconds
    for number in 1...8 { loop.add(bench.chunk(number, (0..<300).map { "\(number).\($0)" })) }
    #expect(bench.run(loop))
    #expect(Set(receiver.stored.flatMap(\.records)).count == 2400)
    #expect(bench.setAside.records.isEmpty)
    #expect(bench.clock.milliseconds - start < 8 * 30_000)
  }

  @Test func recordThatCannotBeSetAsideHoldsThePosition() {
    let bench = Bench()
    bench.setAside.fails = true
    let receiver = FakeReceiver(bench.clock, poison(.refuse))
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, ["poison"]))
    for number in 2...20 {
      loop.add(bench.chunk(number, ["x"]))
      for _ in 0..<10 { loop.step(until: bench.clock.milliseconds + 100_000) }
    }
    #expect(!loop.isEmpty)
    #expect(bench.positions.saved.isEmpty)
    bench.setAside.fails = false
    loop.add(bench.chunk(21, ["x"]))
    #expect(bench.run(loop))
    #expect(bench.setAside.records == ["poison"])
    #expect(bench.positions.saved.last?.place == "21")
  }

  @Test func withoutAPlaceToSetAsideTheDeliveryEnds() {
    let bench = Bench()
    let receiver = FakeReceiver(bench.clock, poison(.refuse))
    let loop = bench.loop([receiver], setsAside: false)
    loop.add(bench.chunk(1, ["poison"]))
    loop.add(bench.chunk(2, ["x"]))
    #expect(!bench.run(loop))
    #expect(loop.end?.kind == .hopeless)
  }

  @Test func recordAboveTheMaximumIsSetAsideUnsent() {
    let bench = Bench()
    bench.settings.chunk.maximumSize = 10
    let receiver = FakeReceiver(bench.clock) { _ in .acknowledge }
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, ["12345678901"]))
    loop.add(bench.chunk(2, ["1234567890"]))
    #expect(bench.run(loop))
    #expect(bench.setAside.records == ["12345678901"])
    #expect(receiver.sent.map(\.id) == ["c2"])
  }

  @Test func rejectedRecordsAreCountedAndNotSentAgain() {
    let bench = Bench()
    let receiver = FakeReceiver(depth: 1, bench.clock) { _ in .reject(2) }
    let loop = bench.loop([receiver])
    loop.add(bench.chunk(1, ["a", "b", "c"]))
    #expect(bench.run(loop))
    #expect(loop.statistics.rejectedRecords == 2)
    #expect(loop.statistics.acknowledgedRecords == 1)
    #expect(receiver.sent.count == 1)
    #expect(bench.events.count == 1)
  }
}
