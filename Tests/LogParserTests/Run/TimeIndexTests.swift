import Bytes
import TestSupport
import Testing

@testable import LogParser

struct TimeIndexTests {
  /// More than two blocks, with many equal times.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func mergedEntriesAreSortedAndKeepTheirOrder(seed: UInt64) {
    var generator = SplitMix64(state: seed)
    var index = TimeIndex()
    var expected: [(seconds: Int64, offset: Int)] = []
    for offset in 0..<70_000 {
      let seconds = Int64(generator.below(5000))
      index.append(Timestamp(seconds: seconds), offset: offset, length: 1, identity: 0)
      expected.append((seconds, offset))
    }
    let (isSorted, entries) = (index.isSorted, index.count)
    #expect(!isSorted && entries == expected.count)
    expected.sort { $0.seconds != $1.seconds ? $0.seconds < $1.seconds : $0.offset < $1.offset }
    var merge = index.merged()
    var count = 0
    while let entry = merge.next() {
      guard count < expected.count, entry.seconds == expected[count].seconds,
        entry.offset == expected[count].offset
      else {
        Issue.record("entry \(count), seed \(seed)")
        return
      }
      count += 1
    }
    #expect(count == expected.count)
  }

  @Test func entriesInOrderStayInOrder() {
    var index = TimeIndex()
    for offset in 0..<40_000 {
      index.append(
        Timestamp(seconds: 1, nanoseconds: UInt32(offset / 2)), offset: offset, length: 3, identity: 7)
    }
    let isSorted = index.isSorted
    #expect(isSorted)
    var merge = index.merged()
    var next = 0
    while let entry = merge.next() {
      #expect(entry.offset == next && entry.length == 3 && entry.identity == 7)
      next += 1
    }
    #expect(next == 40_000)
  }

  @Test func emptyIndexHasNoEntry() {
    var merge = TimeIndex().merged()
    #expect(merge.next() == nil)
  }
}
