import Glibc
import System

/// Files of exporters, which are on disk before their spans are acknowledged.
enum DurableFile {
  /// Forces what was written to the disk. Pipes and terminals, which have none, are passed over.
  static func sync(_ number: Int32, _ path: String) throws(SystemCallError) {
    while fdatasync(number) != 0 {
      switch errno {
      case EINTR: continue
      case EINVAL, EROFS: return
      default: throw SystemCallError("fdatasync", path)
      }
    }
  }

  /// Forces the names of the directory that a file is in to the disk.
  static func syncDirectory(of path: String) throws(SystemCallError) {
    let parent = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) } ?? "."
    let directory = try FileDescriptor.open(parent, O_RDONLY | O_DIRECTORY)
    guard fsync(directory.number) == 0 || errno == EINVAL || errno == EROFS else {
      throw SystemCallError("fsync", parent)
    }
  }

  /// Replaces a file as a whole. Its content is on disk before its name is; the name is when the directory was synced.
  static func replace(_ path: String, mode: mode_t, _ bytes: UnsafeRawBufferPointer) throws(SystemCallError) {
    let temporary = "\(path).tmp"
    let file = try FileDescriptor.open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    do throws(SystemCallError) {
      try file.writeAll(bytes, subject: path)
      try sync(file.number, path)
      guard rename(temporary, path) == 0 else { throw SystemCallError("rename", path) }
    } catch {
      _ = unlink(temporary)
      throw error
    }
  }
}

/// What tells one version of a file from another.
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

  /// The version that is at a path now; nil when nothing is.
  static func current(_ path: String) throws(SystemCallError) -> FileVersion? {
    var status = stat()
    if lstat(path, &status) == 0 { return FileVersion(status) }
    guard errno == ENOENT else { throw SystemCallError("lstat", path) }
    return nil
  }
}
