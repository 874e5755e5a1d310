import System

/// Settings of a delivery. Times are milliseconds.
package struct DeliverySettings: Sendable {
  package var chunk = ChunkLimits()
  /// The most chunks and bytes that wait for an acknowledgement; this bounds the memory.
  package var windowChunks = 8
  package var windowBytes = 8 << 20
  package var acknowledgementTimeout = 30_000
  package var connectTimeout = 10_000
  package var backoff = Backoff()
  /// The delivery ends when nothing was acknowledged for this long; nil for no limit.
  package var patience: Int?
  /// The shortest time between two saves of the position.
  package var positionInterval = 1000
  package init() {}
}

/// Keeps the position up to which everything is acknowledged, from run to run.
package protocol PositionStore: Sendable {
  func save(_ position: String) throws(SystemCallError)
}

/// Keeps records that no receiver accepts on disk.
package protocol SetAsideStore: Sendable {
  /// Adds the single record of a chunk. It is on disk when this returns.
  func add(_ chunk: Chunk, receiver: String, reason: String) throws(SystemCallError)
}
