import CLinux
import Glibc
import System

/// The directories that the forwarder writes to: created while it has the rights, and checked after it has become its
/// user.
struct OutputDirectories {
  private let spool: String
  /// Directories that exporters write files in, and what names them.
  private var outputs: [(path: String, option: String, isMade: Bool)] = []

  init(_ options: ForwarderOptions) {
    spool = options.spool.directory
    if let directory = options.jaegerDirectory { outputs.append((directory, "--jaeger-json", true)) }
    for (file, option) in [
      (options.jaegerFile, "--jaeger-json-file"), (options.otlpFile, "--otlp-json-file"),
    ] {
      guard let file else { continue }
      let parent = file.lastIndex(of: "/").map { file[..<$0].isEmpty ? "/" : String(file[..<$0]) } ?? "."
      outputs.append((parent, option, false))
    }
  }

  /// Creates missing directories. Those that belong to the forwarder are given to the user.
  func make(for user: User?) throws(SystemCallError) {
    try makeParents(of: spool)
    _ = try make(spool, mode: 0o700)
    if let user { try giveSpool(to: user) }
    for output in outputs where output.isMade {
      let isNew = try make(output.path, mode: 0o750)
      if isNew, let user, chown(output.path, user.id, user.group) != 0 {
        throw SystemCallError("chown", output.path)
      }
    }
  }

  private func makeParents(of path: String) throws(SystemCallError) {
    var index = path.index(after: path.startIndex)
    while index < path.endIndex, let slash = path[index...].firstIndex(of: "/") {
      _ = try make(String(path[..<slash]), mode: 0o755)
      index = path.index(after: slash)
    }
  }

  /// Creates a directory; false if it already existed.
  private func make(_ path: String, mode: mode_t) throws(SystemCallError) -> Bool {
    if mkdir(path, mode) == 0 { return true }
    if errno == EEXIST { return false }
    throw SystemCallError("create the directory", path)
  }

  private func giveSpool(to user: User) throws(SystemCallError) {
    let directory = try FileDescriptor.open(spool, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    guard fchown(directory.number, user.id, user.group) == 0 else { throw SystemCallError("chown", spool) }
    giveFiles(in: directory, to: user)
    var folder = directory
    for name in ["set-aside", "resend"] {
      let number = openat(folder.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard number >= 0 else { return }
      folder = FileDescriptor(owning: number)
      _ = fchown(folder.number, user.id, user.group)
      giveFiles(in: folder, to: user)
    }
  }

  private func giveFiles(in directory: borrowing FileDescriptor, to user: User) {
    let names = (try? DirectoryListing.names(in: "/proc/self/fd/\(directory.number)")) ?? []
    for name in names
    where ["lock", "key", "key.tmp"].contains(name)
      || [".spool", ".position", ".position.tmp", ".damaged"].contains(where: name.hasSuffix)
    {
      // What an earlier run left as another user; nothing else is touched, and nothing that has another name elsewhere,
      // which anyone who owned the directory could have given it.
      let number = openat(directory.number, name, Int32(kata_o_path) | O_NOFOLLOW | O_CLOEXEC)
      guard number >= 0 else { continue }
      let file = FileDescriptor(owning: number)
      guard let status = try? file.status(name), status.isRegularFile, status.st_nlink == 1 else { continue }
      _ = fchownat(file.number, "", user.id, user.group, Int32(kata_at_empty_path))
    }
  }

  /// Why this process cannot write somewhere; nil when it can everywhere.
  func problem() -> String? {
    for output in outputs where access(output.path, W_OK | X_OK) != 0 {
      let error = SystemCallError("write files in", output.path)
      return
        "\(error.description) (\(output.option)): let the forwarder's user write there, or choose another with --user"
    }
    return nil
  }
}
