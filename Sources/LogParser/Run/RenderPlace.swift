import Bytes

/// What the first record of a piece must know of those before it.
struct RenderPlace: Sendable {
  /// The number of records before.
  var count: UInt64
  /// The time of the record before, or nil when there is none.
  var previousTime: Timestamp?
}
