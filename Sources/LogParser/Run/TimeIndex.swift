import Bytes

/// The offset of each record of a ``RecordStore``, by time: 32 bytes per record.
///
/// Entries are in blocks, each of which is sorted when it is full; reading merges the blocks. Records of equal time
/// keep the order of arrival.
package struct TimeIndex: ~Copyable {
  package struct Entry: Sendable {
    package var seconds: Int64
    package var nanoseconds: UInt32
    package var length: UInt32
    package var offset: Int
    /// Distinguishes records of equal time if duplicates are dropped; otherwise 0.
    package var identity: UInt64

    /// Records of equal time keep the order of arrival.
    @inline(__always)
    func precedes(_ other: Entry) -> Bool {
      if seconds != other.seconds { return seconds < other.seconds }
      if nanoseconds != other.nanoseconds { return nanoseconds < other.nanoseconds }
      return offset < other.offset
    }
  }

  private static let blockSize = 32_768

  private var blocks: [[Entry]] = []
  private var last: [Entry] = []
  /// Whether every entry so far was at or after the one before it.
  package private(set) var isSorted = true
  package private(set) var count = 0
  private var newest: Timestamp?

  package init() { last.reserveCapacity(Self.blockSize) }

  package mutating func append(_ time: Timestamp, offset: Int, length: Int, identity: UInt64) {
    if let newest, time < newest { isSorted = false } else { newest = time }
    last.append(
      Entry(
        seconds: time.seconds, nanoseconds: time.nanoseconds, length: UInt32(truncatingIfNeeded: length),
        offset: offset, identity: identity))
    count += 1
    if last.count == Self.blockSize { closeBlock() }
  }

  /// Adds entries that are in order among themselves.
  mutating func append(run: [Entry]) {
    if run.isEmpty { return }
    if !last.isEmpty { closeBlock() }
    blocks.append(run)
    count += run.count
    isSorted = false
  }

  private mutating func closeBlock() {
    if !isSorted { last.sort { $0.precedes($1) } }
    blocks.append(last)
    last = []
    last.reserveCapacity(Self.blockSize)
  }

  /// Ends the writing and returns the entries in order of time.
  package consuming func merged() -> Merge {
    if !last.isEmpty { closeBlock() }
    return Merge(blocks)
  }

  /// Iterates over the entries of all blocks in order.
  package struct Merge {
    /// The next entry of a block.
    private struct Next: MergeOrdered {
      var entry: Entry
      var block: Int

      @inline(__always)
      func precedes(_ other: Next) -> Bool { entry.precedes(other.entry) }
    }

    private var blocks: [[Entry]]
    /// For each block, the index of the entry after its next one.
    private var positions: [Int]
    private var heap = MergeHeap<Next>()

    fileprivate init(_ blocks: [[Entry]]) {
      self.blocks = blocks
      positions = Array(repeating: 1, count: blocks.count)
      // Consecutive blocks need no merging, but cost only one comparison here.
      for (index, block) in blocks.enumerated() {
        if let entry = block.first { heap.push(Next(entry: entry, block: index)) }
      }
    }

    package mutating func next() -> Entry? {
      guard let next = heap.first else { return nil }
      let position = positions[next.block]
      if position < blocks[next.block].count {
        positions[next.block] += 1
        heap.replaceFirst(with: Next(entry: blocks[next.block][position], block: next.block))
      } else {
        blocks[next.block] = []
        _ = heap.popFirst()
      }
      return next.entry
    }
  }
}
