import Bytes

/// A piece of a file that begins and ends with a line, and what its first record must know.
package struct FileSegment: Sendable {
  /// About how many bytes a piece has: few enough for a core's own cache, enough to hide a system call.
  static let size = 256 << 10

  package var offset: Int
  package var count: Int
  /// The number of its first line, from 1.
  package var firstLine: UInt64
  /// The time of the line before, or nil for the first.
  package var previousTime: Timestamp?
}
