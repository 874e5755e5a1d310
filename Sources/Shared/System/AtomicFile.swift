import Glibc

/// Atomic replacement of files: at any moment, and after a crash, a path names the old content or the new one.
///
/// The new content is written next to the file, as `NAME.tmp`, and renamed to it. A symbolic link at the path is
/// replaced, not followed; one at the temporary name is refused.
package enum AtomicFile {
  /// What is on disk when a replacement has returned.
  package enum Durability {
    /// Nothing for certain: a crash of the process leaves a whole file, a crash of the machine may leave an empty one.
    case none
    /// The new content, before its name: after a crash of the machine the path names the old content or the new one.
    case content
    /// The content and its name.
    case name
  }

  /// Replaces the file at a path with what `write` writes. If anything fails, the old file is unchanged.
  ///
  /// - Parameter mode: the permissions of the new file, less the process's umask.
  package static func replace(
    _ path: String, mode: mode_t, durability: Durability,
    _ write: (borrowing FileDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    try replace(path, in: AT_FDCWD, path: path, mode: mode, durability: durability, write)
    if durability == .name { try syncDirectory(of: path) }
  }

  /// Replaces a file in an open directory, even if the directory's path has changed meanwhile.
  ///
  /// - Parameter path: what errors call the file.
  package static func replace(
    _ name: String, in directory: borrowing FileDescriptor, path: String, mode: mode_t,
    durability: Durability,
    _ write: (borrowing FileDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    try replace(name, in: directory.number, path: path, mode: mode, durability: durability, write)
    guard durability != .name || fsync(directory.number) == 0 || lacksSync(errno) else {
      throw SystemCallError("fsync", directoryName(of: path))
    }
  }

  private static func replace(
    _ name: String, in directory: Int32, path: String, mode: mode_t, durability: Durability,
    _ write: (borrowing FileDescriptor) throws(SystemCallError) -> Void
  ) throws(SystemCallError) {
    let temporary = "\(name).tmp"
    let file = try FileDescriptor.open(
      temporary, in: directory, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK, mode: mode,
      subject: "\(path).tmp")
    do throws(SystemCallError) {
      try write(file)
      if durability != .none { try file.sync(path) }
      guard renameat(directory, temporary, directory, name) == 0 else {
        throw SystemCallError("rename", path)
      }
    } catch {
      _ = unlinkat(directory, temporary, 0)
      throw error
    }
  }

  /// Gives an unnamed file (``FileDescriptor/unnamed(in:)``) the name `path`, replacing any existing file.
  package static func name(_ file: borrowing FileDescriptor, _ path: String) throws(SystemCallError) {
    // linkat(2) does not replace files: the file is linked next to the one that it replaces, then renamed.
    for attempt in 0..<100 {
      let beside = "\(path).\(getpid()).\(attempt)"
      if linkat(AT_FDCWD, "/proc/self/fd/\(file.number)", AT_FDCWD, beside, AT_SYMLINK_FOLLOW) == 0 {
        guard rename(beside, path) == 0 else {
          let error = SystemCallError("rename", path)
          _ = unlink(beside)
          throw error
        }
        return
      }
      if errno != EEXIST { throw SystemCallError("link", path) }
    }
    throw SystemCallError("link", path, code: EEXIST)
  }

  /// Syncs the directory of a file to disk.
  package static func syncDirectory(of path: String) throws(SystemCallError) {
    let name = directoryName(of: path)
    let directory = try FileDescriptor.open(name, O_RDONLY | O_DIRECTORY)
    guard fsync(directory.number) == 0 || lacksSync(errno) else { throw SystemCallError("fsync", name) }
  }

  /// The directory that a path's last name is in.
  package static func directoryName(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
  }

  /// Whether the file system does not support syncing a directory, for which there is no alternative.
  private static func lacksSync(_ code: Int32) -> Bool { code == EINVAL || code == EROFS }
}
