import Bytes

/// How large a chunk becomes.
package struct ChunkLimits: Sendable {
  /// Bytes and entries at which a chunk is closed.
  package var size = 1 << 20
  package var count = 5000
  /// Milliseconds after its first entry at which a chunk is closed.
  package var age = 1000
  /// Bytes that a chunk never exceeds: an entry above that is set aside.
  package var maximumSize = 4 << 20
  package init() {}
}

/// Collects entries until they are a chunk.
struct ChunkBuilder {
  private let limits: ChunkLimits
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var position: String?
  /// When the first entry came.
  private var openedAt = 0
  /// How large the last chunk was: the next one is likely to be about as large.
  private var lastSize = 0
  private var lastCount = 0

  init(_ limits: ChunkLimits) { self.limits = limits }

  /// Whether neither an entry nor a position waits to become a chunk.
  var isEmpty: Bool { ends.isEmpty && position == nil }
  var size: Int { bytes.count }
  var count: Int { ends.count }

  /// Whether an entry of so many bytes may join the open chunk.
  func hasRoom(for size: Int) -> Bool {
    ends.isEmpty || ends.count < limits.count && bytes.count + size <= limits.size
  }

  var isFull: Bool { bytes.count >= limits.size || ends.count >= limits.count }

  /// When the open chunk is to be closed; nil when there is none.
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

  /// Notes where the input stands behind the entries so far.
  mutating func mark(_ position: String, at now: Int) {
    if isEmpty { openedAt = now }
    self.position = position
  }

  /// Closes the chunk; nil when there is nothing. Without an entry it has the position alone.
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
