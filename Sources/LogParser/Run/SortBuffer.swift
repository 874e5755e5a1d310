import Bytes
import System

/// All records of a run in a ``RecordStore``, and the order in which to write them.
///
/// While they arrive in order, nothing is kept per record: the store is read back as it was written, in constant
/// memory. The first record out of order, or the option to drop duplicates, creates a ``TimeIndex``; from then on the
/// records in memory are sorted before they are stored, so that the output reads a few long pieces instead of many
/// short ones.
struct SortBuffer: ~Copyable {
  private static let rangeSize = 256 << 10

  private var store: RecordStore
  private let dropsDuplicates: Bool
  private var index: TimeIndex?
  /// The index entries of the records in memory.
  private var pending: [TimeIndex.Entry] = []
  private var newest: Timestamp?
  private var count: UInt64 = 0
  private var ranges: [Range] = []

  /// Consecutive records of about ``rangeSize`` bytes.
  private struct Range {
    var offset: Int
    var bytes: Int
    var place: RenderPlace
  }

  init(directory: String, dropsDuplicates: Bool) {
    store = RecordStore(directory: directory)
    self.dropsDuplicates = dropsDuplicates
    if dropsDuplicates { index = TimeIndex() }
  }

  mutating func append(_ record: borrowing Record) throws(SystemCallError) {
    let time = record.time
    if index == nil, let newest, time < newest { try makeIndex() }
    let offset = store.size
    if index != nil {
      let length = store.appendInMemory(record)
      pending.append(
        TimeIndex.Entry(
          seconds: time.seconds, nanoseconds: time.nanoseconds, length: UInt32(truncatingIfNeeded: length),
          offset: offset, identity: dropsDuplicates ? Self.identity(of: record) : 0))
      if store.isFull {
        arrangePending()
        try store.flush()
      }
    } else {
      extendRange(offset, try store.append(record))
    }
    newest = time
    count += 1
  }

  /// Sorts the records in memory.
  private mutating func arrangePending() {
    pending.sort { $0.precedes($1) }
    store.arrange(&pending)
    index?.append(run: pending)
    pending.removeAll(keepingCapacity: true)
  }

  private mutating func extendRange(_ offset: Int, _ length: Int) {
    if let last = ranges.indices.last, ranges[last].bytes < Self.rangeSize {
      ranges[last].bytes += length
    } else {
      ranges.append(
        Range(offset: offset, bytes: length, place: RenderPlace(count: count, previousTime: newest)))
    }
  }

  /// Indexes the contents of the store from the heads of its records.
  private mutating func makeIndex() throws(SystemCallError) {
    var made = TimeIndex()
    var offset = 0
    var block = PageBlock(capacity: StoredRecord.Head.size)
    while offset < store.size {
      let head = try store.head(at: offset, &block)
      guard head.length >= StoredRecord.Head.size else { throw store.damage }
      if offset < store.memoryOffset {
        made.append(head.time, offset: offset, length: Int(head.length), identity: 0)
      } else {
        pending.append(
          TimeIndex.Entry(
            seconds: head.seconds, nanoseconds: head.nanoseconds, length: head.length, offset: offset,
            identity: 0))
      }
      offset += Int(head.length)
    }
    index = consume made
    ranges = []
  }

  /// The identity by which two records of the same time are duplicates: a hash of the process and the message, with a
  /// new key in each run, so that no guest can make a record that hides another.
  static func identity(of record: borrowing Record) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(record.pid)
    hasher.combine(bytes: UnsafeRawBufferPointer(record.message.bytes))
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  /// The pieces of the output in order. Call it once, after the last record.
  mutating func takeJobs() -> Jobs {
    if index != nil { arrangePending() }
    if let index = index.take() { return Jobs(merge: index.merged(), dropsDuplicates: dropsDuplicates) }
    return Jobs(
      ranges: ranges.map { .range(offset: $0.offset, bytes: $0.bytes, place: $0.place) })
  }

  /// The store, to whose offsets the pieces refer.
  consuming func takeStore() -> RecordStore { store }

  /// Returns the pieces one by one.
  final class Jobs {
    private var ranges: [RenderJob]
    private var nextRange = 0
    // Touched for each record, in one place at a time.
    @exclusivity(unchecked) private var merge: TimeIndex.Merge?
    private let dropsDuplicates: Bool
    private var place = RenderPlace(count: 0, previousTime: nil)
    private var seen: Set<UInt64> = []
    /// The number of duplicates left out.
    private(set) var duplicates: UInt64 = 0

    fileprivate init(ranges: [RenderJob]) {
      self.ranges = ranges
      dropsDuplicates = false
    }

    fileprivate init(merge: TimeIndex.Merge, dropsDuplicates: Bool) {
      ranges = []
      self.merge = merge
      self.dropsDuplicates = dropsDuplicates
    }

    func next() -> RenderJob? {
      if merge == nil {
        guard nextRange < ranges.count else { return nil }
        nextRange += 1
        return ranges[nextRange - 1]
      }
      var batch: [TimeIndex.Entry] = []
      var previous = place.previousTime
      while batch.count < 1024, let entry = merge?.next() {
        let time = Timestamp(seconds: entry.seconds, nanoseconds: entry.nanoseconds)
        if dropsDuplicates {
          if time != previous { seen.removeAll(keepingCapacity: true) }
          guard seen.insert(entry.identity).inserted else {
            duplicates += 1
            continue
          }
        }
        previous = time
        batch.append(entry)
      }
      if batch.isEmpty { return nil }
      defer {
        place.count += UInt64(batch.count)
        place.previousTime = previous
      }
      return .entries(batch, place: place)
    }
  }
}
