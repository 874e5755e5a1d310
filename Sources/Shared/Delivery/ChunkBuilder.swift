import Bytes

/// The limits at which a chunk is closed.
package struct ChunkLimits: Sendable {
  /// Bytes and entries at which a chunk is closed.
  package var size = 1 << 20
  package var count = 5000
  /// Milliseconds after its first entry at which a chunk is closed.
  package var age = 1000
  /// The most bytes that a chunk may have: a larger entry is set aside.
  package var maximumSize = 4 << 20
  package init() {}
}

/// Collects entries into a chunk.
struct ChunkBuilder {
  private let limits: ChunkLimits
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var position: String?
  /// When the first entry was added.
  private var openedAt = 0
  /// How large the last chunk was: the next one is likely to be about as large.
  private var lastSize = 0
  private var lastCount = 0

  init(_ limits: ChunkLimits) { self.limits = limits }

  /// Whether there is neither an entry nor a position for a chunk.
  var isEmpty: Bool { ends.isEmpty && position == nil }
  var size: Int { bytes.count }
  var count: Int { ends.count }

  /// Whether an entry of this many bytes fits into the open chunk.
  func hasRoom(for size: Int) -> Bool {
    ends.isEmpty || ends.count < limits.count && bytes.count + size <= limits.size
  }

  var isFull: Bool { bytes.count >= limits.size || ends.count >= limits.count }

  /// When the open chunk is due to be closed; nil if there is none.
  var dueAt: Int? { isEmpty ? nil : openedAt + limits.age }

  mutating func append(_ entry: UnsafeRawBufferPointer, at now: Int) {
    if isEmpty { openedAt = now }
    if ends.isEmpty {
      bytes.reserveCapacity(max(entry.count, min(lastSize + lastSize / 8, limits.size)))
      ends.reserveCapacity(min(lastCount + lastCount / 8, limits.count))
    }
    bytes.append(contentsOf: entry)
    ends.append(bytes.count)
  }

  /// Notes the input position after the entries so far.
  mutating func mark(_ position: String, at now: Int) {
    if isEmpty { openedAt = now }
    self.position = position
  }

  /// Closes the chunk; nil if there is nothing. A chunk without entries has only the position.
  mutating func take(id: () -> String) -> Chunk? {
    if isEmpty { return nil }
    let chunk = Chunk(id: ends.isEmpty ? "" : id(), bytes: bytes, ends: ends, position: position)
    lastSize = bytes.count
    lastCount = ends.count
    bytes = []
    ends = []
    position = nil
    return chunk
  }
}
