import TestSupport
import Testing

@testable import TraceForwarder

struct SpanBatchTests {
  @Test func addedRecordsFollowOneAnotherAndAreCounted() {
    var batch = SpanBatch()
    #expect(batch.isEmpty == true)
    batch.add { $0.put("one") }
    batch.add { $0.put("two") }
    #expect(batch.count == 2)
    #expect(batch.records.string == "onetwo")
    batch.removeAll()
    #expect(batch.isEmpty && batch.records.isEmpty)
  }

  @Test func heldBatchIsOfferedUntilItIsTaken() {
    var batch = SpanBatch()
    var pending = PendingBatch()
    let isEmptyTaken = pending.retry { _ in
      Issue.record("nothing waits")
      return false
    }
    #expect(isEmptyTaken)
    batch.add { $0.put("one") }
    pending.hold(&batch)
    #expect(batch.isEmpty && pending.count == 1)
    for _ in 0..<3 {
      let isTaken = pending.retry { offered in
        #expect(offered.records.string == "one")
        return false
      }
      #expect(!isTaken && pending.count == 1)
    }
    let isTaken = pending.retry { $0.records.string == "one" }
    #expect(isTaken)
    #expect(pending.isEmpty == true)
  }

  @Test func emptyBatchIsNotHeld() {
    var batch = SpanBatch()
    var pending = PendingBatch()
    pending.hold(&batch)
    #expect(pending.isEmpty == true)
  }

  /// Against a spool that refuses at random: what it takes is all that was added, once and in order.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func everySpanIsTakenOnceAndInOrder(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    var batch = SpanBatch()
    var pending = PendingBatch()
    var taken: [UInt8] = []
    var added: [UInt8] = []
    var refuses = true
    func offer(_ offered: borrowing SpanBatch) -> Bool {
      if refuses { return false }
      taken += offered.records.array
      #expect(offered.count == offered.records.count, "seed \(seed)")
      return true
    }
    for _ in 0..<200 {
      refuses = generator.oneIn(2)
      if !pending.isEmpty, !generator.oneIn(8), !pending.retry(offer) { continue }
      for _ in 0..<generator.below(5) {
        let byte = UInt8(truncatingIfNeeded: generator.next())
        added.append(byte)
        batch.add { $0.put(byte) }
      }
      // Whoever offers past a batch that waits would change the order, so it is held as well.
      if pending.isEmpty, offer(batch) { batch.removeAll() } else { pending.hold(&batch) }
    }
    refuses = false
    let isLastTaken = pending.retry(offer)
    #expect(isLastTaken)
    #expect(taken == added, "seed \(seed)")
  }
}
