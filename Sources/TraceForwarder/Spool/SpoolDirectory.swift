import Glibc
import System

/// Why a spool cannot be opened.
package enum SpoolFailure: Error, Sendable, CustomStringConvertible {
  case system(SystemCallError)
  /// A file of a later version, which this one does not understand and therefore leaves alone.
  case newer(file: String, version: String, known: String)

  package var description: String {
    switch self {
    case .system(let error): error.description
    case .newer(let file, let version, let known):
      "\(file): the file has format version \(version), and this forwarder supports \(known): "
        + "start the forwarder that wrote it, or choose another directory with --spool-dir"
    }
  }

  static func from<Result>(_ body: () throws(SystemCallError) -> Result) throws(SpoolFailure) -> Result {
    do throws(SystemCallError) { return try body() } catch { throw .system(error) }
  }
}

/// The open directory of a spool, locked for this process.
///
/// Files are reached from the open directory, not by its path: where it is moved away or its disk is unmounted lazily,
/// what is in it is still read, and nothing is written to whatever takes its place.
final class SpoolDirectory: Sendable {
  static let keyName = "key"

  let path: String
  private let file: FileDescriptor
  private let lock: FileDescriptor?
  private let device: dev_t
  private let inode: ino_t

  /// Creates the directory if it is missing.
  init(_ path: String) throws(SystemCallError) {
    self.path = path
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw SystemCallError("create the spool's directory", path)
    }
    file = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
    let status = try file.status(path)
    device = status.st_dev
    inode = status.st_ino
    lock = try Self.lock(in: path)
  }

  /// Opens a directory that may be another process's, to look at it without a lock.
  init(readOnly path: String) throws(SystemCallError) {
    self.path = path
    file = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
    let status = try file.status(path)
    device = status.st_dev
    inode = status.st_ino
    lock = nil
  }

  /// Open only for reading, so that it does not keep a file system from being made read-only.
  private static func lock(in path: String) throws(SystemCallError) -> FileDescriptor {
    var lock = try FileDescriptor.open("\(path)/lock", O_RDONLY | O_CREAT, mode: 0o600)
    if flock(lock.number, LOCK_EX | LOCK_NB) == 0 { return lock }
    // Over NFS only a file that is open for writing can be locked.
    if errno == EBADF {
      lock = try FileDescriptor.open("\(path)/lock", O_RDWR)
      if flock(lock.number, LOCK_EX | LOCK_NB) == 0 { return lock }
    }
    throw SystemCallError("lock the spool (is another forwarder using it?)", path)
  }

  // MARK: Where it is

  enum Location {
    case here
    /// It was deleted, and its files with it.
    case deleted
    /// It is elsewhere, such as on a disk that was unmounted, or was moved.
    case away
    /// Another directory is where it was.
    case replaced
  }

  var place: Location {
    var there = stat()
    let isThere = stat(path, &there) == 0
    if isThere, there.st_dev == device, there.st_ino == inode { return .here }
    if isThere { return .replaced }
    if let own = try? file.status(path), own.st_nlink == 0 { return .deleted }
    return .away
  }

  /// Whether it is still there, but not where the other one is, as when its disk was unmounted.
  func isOnAnotherDisk(than other: SpoolDirectory) -> Bool {
    guard let own = try? file.status(path), own.st_nlink > 0 else { return false }
    return device != other.device
  }

  // MARK: Files

  func path(_ name: String) -> String { "\(path)/\(name)" }

  /// The new name of a file that is kept for inspection.
  static func asideName(_ name: String) -> String { "\(name).damaged" }

  func names() throws(SystemCallError) -> [String] {
    do throws(SystemCallError) { return try DirectoryListing.names(in: "/proc/self/fd/\(file.number)") } catch
    {
      // Messages use the path that the user knows.
      throw SystemCallError("read the directory", path, code: error.code)
    }
  }

  func open(_ name: String, _ flags: Int32, mode: mode_t = 0o600) throws(SystemCallError) -> FileDescriptor {
    // Whoever can write in the directory must not have another file read or written in place of the spool's.
    try .open(name, in: file.number, flags | O_NOFOLLOW | O_NONBLOCK, mode: mode, subject: path(name))
  }

  @discardableResult
  func remove(_ name: String) -> Bool { unlinkat(file.number, name, 0) == 0 }

  @discardableResult
  func rename(_ name: String, _ other: String) -> Bool {
    renameat(file.number, name, file.number, other) == 0
  }

  /// Syncs the directory to disk.
  func sync() throws(SystemCallError) {
    guard fsync(file.number) == 0 else { throw SystemCallError("fsync", path) }
  }

  /// Writes a file atomically, even if the machine stops.
  func replace(_ name: String, _ bytes: [UInt8]) throws(SystemCallError) {
    try AtomicFile.replace(name, in: file, path: path(name), mode: 0o600, durability: .name) {
      (written) throws(SystemCallError) in try written.writeAll(bytes, subject: path(name))
    }
  }

  /// Files that were kept for a person to look at, the oldest first, and their sizes.
  func asideFiles() -> [(name: String, size: Int)] {
    let names = ((try? names()) ?? []).filter { $0.hasSuffix(".damaged") }.sorted()
    return names.compactMap { name in
      var status = stat()
      guard fstatat(file.number, name, &status, Int32(AT_SYMLINK_NOFOLLOW)) == 0 else { return nil }
      return (name, Int(status.st_size))
    }
  }
}
