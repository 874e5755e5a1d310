/// Why the forwarder closed an agent's connection: the value of the label `reason` that
/// `kata_forwarder_connections_closed_total` has for it.
enum CloseReason: String {
  /// A frame's length is 0 or over the limit.
  case frameLength = "frame_length"
  /// The rest of a frame did not come in time.
  case partialFrame = "partial_frame"
  /// Nothing came for the idle timeout.
  case idle = "idle"
  /// Reading failed.
  case reset = "reset"
  /// The connections' buffers have all the memory that they may have.
  case outOfMemory = "out_of_memory"
  /// All guests together have too many connections.
  case tooManyConnections = "too_many_connections"
  /// The guest has too many connections.
  case tooManyOfOneGuest = "too_many_connections_of_one_guest"
}
