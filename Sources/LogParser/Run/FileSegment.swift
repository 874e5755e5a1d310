import Bytes

/// A piece of a file that consists of whole lines, with the state that its first record needs.
package struct FileSegment: Sendable {
  /// The approximate size of a piece: small enough for a core's own cache, large enough to hide a system call.
  static let size = 256 << 10

  package var offset: Int
  package var count: Int
  /// The number of its first line, from 1.
  package var firstLine: UInt64
  /// The time of the line before, or nil for the first.
  package var previousTime: Timestamp?
}
