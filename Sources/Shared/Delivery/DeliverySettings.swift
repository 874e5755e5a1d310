import System

/// How a delivery behaves. Times are milliseconds.
package struct DeliverySettings: Sendable {
  package var chunk = ChunkLimits()
  /// Chunks and bytes that wait for an acknowledgement: what bounds the memory.
  package var windowChunks = 8
  package var windowBytes = 8 << 20
  package var acknowledgementTimeout = 30_000
  package var connectTimeout = 10_000
  package var backoff = Backoff()
  /// For how long nothing may be acknowledged before the delivery is given up; nil for ever.
  package var patience: Int?
  /// The shortest time between two notes of the position.
  package var positionInterval = 1000
  package init() {}
}

/// Keeps from run to run up to where everything is acknowledged.
package protocol PositionStore: Sendable {
  func save(_ position: String) throws(SystemCallError)
}

/// Keeps records that no receiver takes, on disk.
package protocol SetAsideStore: Sendable {
  /// Adds the one record of a chunk, which is on disk when this returns.
  func add(_ chunk: Chunk, receiver: String, reason: String) throws(SystemCallError)
}
