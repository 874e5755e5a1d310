import Glibc
import System

/// When a growing file is rotated, and how many rotated files are kept.
package struct FileRotation: Sendable {
  /// Bytes of one file; 0 means no limit.
  package var maximumSize = 100 << 20
  /// Seconds; 0 means no limit.
  package var maximumAge = 0
  /// The number of rotated files to keep: `FILE.1` is the newest.
  package var kept = 5

  package init() {}

  /// Whether a file of this size and age must be rotated before `extra` more bytes are written.
  func isDue(size: Int, extra: Int, since start: Int) -> Bool {
    guard size > 0 else { return false }
    if maximumSize > 0, size + extra > maximumSize { return true }
    return isOld(since: start)
  }

  /// Whether a file that was begun then must be rotated because of its age.
  func isOld(since start: Int) -> Bool {
    maximumAge > 0 && MonotonicClock.milliseconds - start > maximumAge * 1000
  }

  /// Divides what will be written to a file of this size, so that no file becomes larger than ``maximumSize``: a piece
  /// ends where one of `ends` is, and is larger only when there is none before.
  func pieces(_ ends: [Int], after size: Int) -> [Range<Int>] {
    guard maximumSize > 0 else { return ends.last.map { [0..<$0] } ?? [] }
    var pieces: [Range<Int>] = []
    var start = 0
    var last = 0
    var room = max(0, maximumSize - size)
    for end in ends {
      if end - start > room {
        if last > start { pieces.append(start..<last) }
        start = last
        room = maximumSize
      }
      last = end
    }
    if last > start { pieces.append(start..<last) }
    return pieces
  }

  /// Rotates the file.
  func rotate(_ path: String) throws(SystemCallError) {
    if kept == 0 {
      guard unlink(path) == 0 || errno == ENOENT else { throw SystemCallError("unlink", path) }
      return
    }
    _ = unlink("\(path).\(kept)")
    for number in stride(from: kept - 1, through: 1, by: -1) {
      _ = rename("\(path).\(number)", "\(path).\(number + 1)")
    }
    guard rename(path, "\(path).1") == 0 || errno == ENOENT else { throw SystemCallError("rename", path) }
  }
}
