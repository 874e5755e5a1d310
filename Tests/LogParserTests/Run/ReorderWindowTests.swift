import Bytes
import System
import Testing

@testable import LogParser

struct ReorderWindowTests {
  /// Gives records (seconds, and an input) to a window and returns the messages in the order in which they were written
  /// before and after the end.
  private func run(
    _ window: inout ReorderWindow, _ records: [(seconds: Int64, message: String)]
  ) throws -> (before: [String], after: [String]) {
    var record = Record()
    var written: [String] = []
    for (seconds, message) in records {
      RunFixture.fill(&record, seconds, message)
      try window.add(&record) { (due) throws(SystemCallError) in written.append(due.message.string) }
    }
    let before = written
    try window.drain { (due) throws(SystemCallError) in written.append(due.message.string) }
    let isEmpty = window.isEmpty
    #expect(isEmpty)
    return (before, Array(written.dropFirst(before.count)))
  }

  @Test func withoutAWindowEachIsWrittenAtOnce() throws {
    var window = ReorderWindow(nanoseconds: 0, dropsDuplicates: false)
    let written = try run(&window, [(3, "c"), (1, "a"), (2, "b")])
    #expect(written.before == ["c", "a", "b"] && written.after.isEmpty)
    let late = window.late
    #expect(late == 0)
  }

  @Test func recordsWaitForThoseBeforeThem() throws {
    var window = ReorderWindow(nanoseconds: 2_000_000_000, dropsDuplicates: false)
    let written = try run(&window, [(10, "10"), (9, "9"), (12, "12"), (11, "11"), (14, "14")])
    #expect(written.before == ["9", "10", "11", "12"])
    #expect(written.after == ["14"])
    let (late, hasOverflowed) = (window.late, window.hasOverflowed)
    #expect(late == 0 && !hasOverflowed)
  }

  @Test func equalTimesKeepTheirOrder() throws {
    var window = ReorderWindow(nanoseconds: 1_000_000_000, dropsDuplicates: false)
    let written = try run(&window, [(5, "a"), (5, "b"), (4, "c"), (5, "d"), (4, "e")])
    #expect(written.before + written.after == ["c", "e", "a", "b", "d"])
  }

  @Test func recordsLaterThanTheWindowAreCounted() throws {
    var window = ReorderWindow(nanoseconds: 1_000_000_000, dropsDuplicates: false)
    let written = try run(&window, [(10, "10"), (20, "20"), (5, "5"), (21, "21")])
    #expect(written.before == ["10", "5", "20"])
    let late = window.late
    #expect(late == 1)
  }

  @Test func copiesAreDropped() throws {
    var window = ReorderWindow(nanoseconds: 1_000_000_000, dropsDuplicates: true)
    let written = try run(&window, [(1, "a"), (1, "a"), (1, "b"), (2, "a"), (2, "a")])
    #expect(written.before + written.after == ["a", "b", "a"])
    let duplicates = window.duplicates
    #expect(duplicates == 2)
  }

  @Test func memoryIsBounded() throws {
    var window = ReorderWindow(nanoseconds: .max, dropsDuplicates: false)
    let message = String(repeating: "x", count: 1 << 20)
    let records = (0..<20).map { (seconds: Int64($0), message: message) }
    let written = try run(&window, records)
    let hasOverflowed = window.hasOverflowed
    #expect(hasOverflowed)
    #expect(written.after.count < ReorderWindow.byteLimit >> 20)
    #expect(written.before.count + written.after.count == 20)
  }

  /// Of several inputs a record waits until all of them have been read beyond it, and then comes in the inputs' order.
  @Test func severalInputsAreMerged() throws {
    var window = ReorderWindow(nanoseconds: 0, dropsDuplicates: false, merges: true)
    var record = Record()
    var written: [String] = []
    for (seconds, input, horizon) in [(2, 1, nil), (2, 0, 2), (3, 0, 2), (4, 1, 3)] as [(Int64, Int, Int64?)]
    {
      RunFixture.fill(&record, seconds, "\(seconds) of \(input)", input: input)
      try window.add(&record, horizon: horizon.map { Timestamp(seconds: $0) }) {
        (due) throws(SystemCallError) in written.append(due.message.string)
      }
    }
    #expect(written == ["2 of 0", "2 of 1"])
  }

  @Test func ordersTellWhatStillWaits() throws {
    var window = ReorderWindow(nanoseconds: 5_000_000_000, dropsDuplicates: false)
    var record = Record()
    for seconds in [10, 8, 12] as [Int64] {
      RunFixture.fill(&record, seconds)
      try window.add(&record) { (_) throws(SystemCallError) in }
    }
    var orders = (window.oldestOrder, window.newestOrder)
    #expect(orders.0 == 1 && orders.1 == 3)
    try window.drain { (_) throws(SystemCallError) in }
    orders = (window.oldestOrder, window.newestOrder)
    #expect(orders.0 == .max && orders.1 == 3)
  }
}
