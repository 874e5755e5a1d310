import Bytes

/// What the first record of a piece needs to know about those before it.
struct RenderPlace: Sendable {
  /// The number of records before.
  var count: UInt64
  /// The time of the record before, or nil if there is none.
  var previousTime: Timestamp?
}
