import Glibc
import System

/// Identifies a version of a file.
struct FileVersion: Equatable {
  private let file: ino_t
  private let size: Int
  private let seconds: Int
  private let nanoseconds: Int

  private init(_ status: stat) {
    file = status.st_ino
    size = Int(status.st_size)
    seconds = Int(status.st_mtim.tv_sec)
    nanoseconds = Int(status.st_mtim.tv_nsec)
  }

  /// The current version at a path; nil if there is no file.
  static func current(_ path: String) throws(SystemCallError) -> FileVersion? {
    var status = stat()
    if lstat(path, &status) == 0 { return FileVersion(status) }
    guard errno == ENOENT else { throw SystemCallError("lstat", path) }
    return nil
  }
}
