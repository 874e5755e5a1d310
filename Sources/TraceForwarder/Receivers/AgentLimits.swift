import Tracing

/// Limits on what guests may do.
package struct AgentLimits: Sendable {
  /// Bytes of one frame's payload.
  package var frameBytes = 4 << 20
  package var span = SpanLimits()
  /// Connections of all guests, and of one.
  package var connections = 1024
  package var connectionsPerGuest = 16
  /// Bytes that wait in memory for the rest of their frame, of all connections.
  package var bufferedBytes = 256 << 20
  /// Milliseconds without a byte; 0 means no limit.
  package var idleTimeout = 0
  /// Milliseconds from a frame's first byte to its last.
  package var frameTimeout = 30_000
  /// What a span's service is called that names none.
  package var defaultService = "kata-agent"

  package init() {}
}
