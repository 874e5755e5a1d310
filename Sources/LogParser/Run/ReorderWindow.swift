import Bytes
import System

/// Records that wait until no earlier one can follow: those later than the newest record minus the window. With several
/// inputs, it is the newest record of the input that is farthest behind.
///
/// It holds at most ``byteLimit`` bytes of records; beyond that the earliest are written early. Records of equal time
/// are in the order of their inputs, and within one input in the order of arrival.
struct ReorderWindow: ~Copyable {
  static let byteLimit = 16 << 20

  private struct Waiting: MergeOrdered {
    var seconds: Int64
    var nanoseconds: UInt32
    var input: Int
    var order: UInt64
    var bytes: [UInt8]

    /// The overhead of a record in addition to its bytes.
    static let overhead = 112

    func precedes(_ other: Waiting) -> Bool {
      if seconds != other.seconds { return seconds < other.seconds }
      if nanoseconds != other.nanoseconds { return nanoseconds < other.nanoseconds }
      return input != other.input ? input < other.input : order < other.order
    }
  }

  private let nanoseconds: Int64
  /// Whether the records come from several inputs.
  private let merges: Bool
  private let dropsDuplicates: Bool
  /// The first element is the earliest record.
  private var waiting = MergeHeap<Waiting>()
  private var byteCount = 0
  private var order: UInt64 = 0
  private var newest: Timestamp?
  /// The latest time of a written record.
  private var written: Timestamp?
  private var scratch = OutputBuffer(capacity: 64 << 10)
  /// The record that is being written, and the bytes that it borrows.
  private var record = Record()
  private var block = PageBlock(capacity: 64 << 10)
  /// The identities of recent records; see ``SortBuffer/identity(of:)``.
  private var seen: [UInt64: Timestamp] = [:]
  var isEmpty: Bool { waiting.isEmpty }
  /// The arrival number of the newest record.
  var newestOrder: UInt64 { order }
  /// The lowest arrival number of the waiting records. It is not cheap to compute.
  var oldestOrder: UInt64 { waiting.unordered.lazy.map(\.order).min() ?? .max }
  /// Records that arrived after a later one was written.
  private(set) var late: UInt64 = 0
  /// Whether records were written early because there were too many.
  private(set) var hasOverflowed = false
  private(set) var duplicates: UInt64 = 0

  init(nanoseconds: Int64, dropsDuplicates: Bool, merges: Bool = false) {
    self.nanoseconds = nanoseconds
    self.merges = merges
    self.dropsDuplicates = dropsDuplicates
  }

  /// Takes a record, and passes those that are due to `write`.
  ///
  /// - Parameter horizon: the time up to which all of several inputs have been read; nil while it is not known.
  mutating func add(
    _ record: inout Record, horizon: Timestamp? = nil,
    _ write: (borrowing Record) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    if dropsDuplicates, isDuplicate(record) {
      duplicates += 1
      return
    }
    if nanoseconds == 0, !merges { return try write(record) }
    if let written, record.time < written { late += 1 }
    if merges {
      newest = horizon
    } else if newest.map({ record.time > $0 }) ?? true {
      newest = record.time
    }
    push(record)
    while let first = waiting.first {
      if !isDue(first) {
        guard byteCount > Self.byteLimit else { return }
        hasOverflowed = true
      }
      try writeFirst(write)
    }
  }

  /// Whether no earlier record is expected. Another input may still produce a record of the same time, which comes
  /// first if its input does.
  private func isDue(_ first: Waiting) -> Bool {
    guard let newest else { return false }
    let age = newest.nanoseconds(since: Timestamp(seconds: first.seconds, nanoseconds: first.nanoseconds))
    return merges ? age > nanoseconds : age >= nanoseconds
  }

  /// Passes all waiting records to `write`.
  mutating func drain(
    _ write: (borrowing Record) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    while !waiting.isEmpty { try writeFirst(write) }
  }

  private mutating func isDuplicate(_ record: borrowing Record) -> Bool {
    let identity = SortBuffer.identity(of: record)
    if seen[identity] == record.time { return true }
    // Duplicates arrive within moments of each other, so old identities can be forgotten.
    if seen.count >= 16_384 { seen.removeAll(keepingCapacity: true) }
    seen[identity] = record.time
    return false
  }

  private mutating func push(_ record: borrowing Record) {
    scratch.removeAll()
    _ = StoredRecord.encode(record, into: &scratch)
    let bytes = Array(scratch.bytes)
    byteCount += bytes.count + Waiting.overhead
    order += 1
    waiting.push(
      Waiting(
        seconds: record.time.seconds, nanoseconds: record.time.nanoseconds, input: record.input,
        order: order, bytes: bytes))
  }

  private mutating func writeFirst(
    _ write: (borrowing Record) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    guard let first = waiting.popFirst() else { return }
    byteCount -= first.bytes.count + Waiting.overhead
    block.fill(first.bytes.count) { room in
      room.copyBytes(from: first.bytes)
      return first.bytes.count
    }
    guard StoredRecord.decode(block.slice(from: 0), into: &record) != nil else { return }
    if written.map({ record.time > $0 }) ?? true { written = record.time }
    try write(record)
  }
}
