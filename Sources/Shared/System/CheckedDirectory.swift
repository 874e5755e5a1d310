import CLinux
import Glibc

/// A directory that root reached without being misdirected by users who own directories on the way, and in which it
/// works with only the owner's rights.
///
/// A symbolic link is followed only if only root can have made it, and a user's directory may lead only to directories
/// of the same user. A process without root's rights has none that could be abused, and goes wherever it can.
package struct CheckedDirectory: ~Copyable {
  /// Usable for opening entries of the directory, not for listing it.
  package let file: FileDescriptor
  package let status: stat
  /// Whether this is the requested directory; otherwise it is the last existing one on the way to it.
  package let isComplete: Bool
  /// Whether only root can change where the path leads.
  package let isTrusted: Bool

  private static let maximumLinks = 40

  /// Walks to a directory; throws if something on the way is not a directory, cannot be entered or must not be trusted.
  ///
  /// - Parameter visit: gets each directory before the next name is looked for in it: the open directory, and the names
  ///   that are still to go, the next one last.
  package init(
    _ path: String,
    visit: (_ directory: Int32, _ rest: [String]) throws(SystemCallError) -> Void = { _, _ in }
  ) throws(SystemCallError) {
    var rest = Self.components(path)
    var current = try Self.start(path)
    var status = try current.status(path)
    var isTrusted = Self.isTrusted(status)
    var links = 0
    var isComplete = true
    while true {
      try visit(current.number, rest)
      guard let name = rest.popLast() else { break }
      let number = openat(current.number, name, Int32(kata_o_path) | O_NOFOLLOW | O_CLOEXEC)
      guard number >= 0 else {
        guard errno == ENOENT else { throw SystemCallError("open \(name)", path) }
        isComplete = false
        break
      }
      let next = FileDescriptor(owning: number)
      let found = try next.status(path)
      if found.st_mode & S_IFMT == S_IFLNK {
        links += 1
        guard links <= Self.maximumLinks, Self.isTrusted(status) else {
          throw SystemCallError("follow the symbolic link \(name)", path, code: ELOOP)
        }
        let target = try Self.target(next, path)
        rest += Self.components(target)
        if target.hasPrefix("/") {
          current = try Self.start(target)
          status = try current.status(path)
        }
        continue
      }
      guard found.st_mode & S_IFMT == S_IFDIR else {
        throw SystemCallError("open \(name)", path, code: ENOTDIR)
      }
      guard geteuid() != 0 || status.st_uid == 0 || found.st_uid == status.st_uid else {
        throw SystemCallError(
          "enter user \(found.st_uid)'s directory \(name) in user \(status.st_uid)'s", path, code: EPERM)
      }
      current = next
      status = found
      isTrusted = isTrusted && Self.isTrusted(status)
    }
    file = current
    self.status = status
    self.isComplete = isComplete
    self.isTrusted = isTrusted
  }

  /// The names of a path, the first one last.
  private static func components(_ path: String) -> [String] {
    path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
  }

  private static func start(_ path: String) throws(SystemCallError) -> FileDescriptor {
    try FileDescriptor.open(path.hasPrefix("/") ? "/" : ".", Int32(kata_o_path) | O_DIRECTORY)
  }

  private static func isTrusted(_ status: stat) -> Bool {
    geteuid() != 0 || (status.st_uid == 0 && status.st_mode & 0o022 == 0)
  }

  private static func target(_ link: borrowing FileDescriptor, _ path: String) throws(SystemCallError)
    -> String
  {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlinkat(link.number, "", &buffer, buffer.count)
    guard count > 0, count < buffer.count else { throw SystemCallError("readlink", path) }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A path that always names this directory, whatever is renamed meanwhile.
  package var path: String { "/proc/self/fd/\(file.number)" }

  /// Calls `body` with only the rights of the directory's owner, who also becomes the owner of new files.
  package func asOwner<Result: ~Copyable>(_ body: () throws(SystemCallError) -> Result)
    throws(SystemCallError)
    -> Result
  {
    guard geteuid() == 0, status.st_uid != 0 else { return try body() }
    // These are the thread's own, so other threads keep their rights. No id is the highest one: asking for that tells.
    setfsgid(status.st_gid)
    setfsuid(status.st_uid)
    defer {
      setfsuid(geteuid())
      setfsgid(getegid())
    }
    guard uid_t(bitPattern: setfsuid(.max)) == status.st_uid,
      gid_t(bitPattern: setfsgid(.max)) == status.st_gid
    else { throw SystemCallError("setfsuid", "user \(status.st_uid)", code: EPERM) }
    return try body()
  }

  /// The socket of this name; nil if there is none.
  package func socket(_ name: String) -> SocketFile? {
    var found = stat()
    guard fstatat(file.number, name, &found, Int32(AT_SYMLINK_NOFOLLOW)) == 0,
      found.st_mode & S_IFMT == S_IFSOCK
    else { return nil }
    return SocketFile(device: found.st_dev, inode: found.st_ino)
  }

  /// Removes the name if it is still this socket's.
  package func remove(_ name: String, ifIs socket: SocketFile?) {
    guard let socket, self.socket(name) == socket else { return }
    try? asOwner { _ = unlinkat(file.number, name, 0) }
  }
}

/// Which socket a name in a directory means.
package struct SocketFile: Equatable {
  package var device: dev_t
  package var inode: ino_t

  package init(device: dev_t, inode: ino_t) {
    self.device = device
    self.inode = inode
  }
}
