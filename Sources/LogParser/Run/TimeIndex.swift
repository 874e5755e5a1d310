import Bytes

/// Where each record of a ``RecordStore`` is, by time: 32 bytes a record.
///
/// Entries come in blocks, each of which is sorted when it is full; reading merges the blocks. Records of equal time
/// keep the order in which they came.
package struct TimeIndex: ~Copyable {
  package struct Entry: Sendable {
    package var seconds: Int64
    package var nanoseconds: UInt32
    package var length: UInt32
    package var offset: Int
    /// What tells records of equal time apart when duplicates are dropped; else 0.
    package var identity: UInt64

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

  private mutating func closeBlock() {
    if !isSorted { last.sort { $0.precedes($1) } }
    blocks.append(last)
    last = []
    last.reserveCapacity(Self.blockSize)
  }

  /// Ends the writing and gives the entries in order of time.
  package consuming func merged() -> Merge {
    if !last.isEmpty { closeBlock() }
    return Merge(blocks)
  }

  /// Walks the entries of all blocks in order: a heap of the blocks' next entries.
  package struct Merge {
    private var blocks: [[Entry]]
    private var positions: [Int]
    private var heap: [Int]

    fileprivate init(_ blocks: [[Entry]]) {
      self.blocks = blocks
      positions = Array(repeating: 0, count: blocks.count)
      heap = []
      // Blocks that follow one another need no merging, but cost nothing more than a comparison here.
      for index in blocks.indices { push(index) }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
      blocks[a][positions[a]].precedes(blocks[b][positions[b]])
    }

    private mutating func push(_ block: Int) {
      heap.append(block)
      var child = heap.count - 1
      while child > 0 {
        let parent = (child - 1) / 2
        if !precedes(heap[child], heap[parent]) { return }
        heap.swapAt(child, parent)
        child = parent
      }
    }

    private mutating func sink() {
      var parent = 0
      while true {
        var least = parent
        for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
          if precedes(heap[child], heap[least]) { least = child }
        }
        if least == parent { return }
        heap.swapAt(parent, least)
        parent = least
      }
    }

    package mutating func next() -> Entry? {
      guard let block = heap.first else { return nil }
      let entry = blocks[block][positions[block]]
      positions[block] += 1
      if positions[block] == blocks[block].count {
        blocks[block] = []
        let end = heap.removeLast()
        if heap.isEmpty { return entry }
        heap[0] = end
      }
      sink()
      return entry
    }
  }
}
