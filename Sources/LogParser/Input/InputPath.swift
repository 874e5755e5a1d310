import Glibc
import System

/// An input by its name.
package struct InputPath: Equatable, Sendable {
  /// The absolute path with links resolved, or `-`.
  package var path: String
  /// The descriptor that the path stands for, where that is a pipe, a socket or a terminal which the process was started
  /// with, such as `/dev/stdin` or what a shell's `<(…)` becomes.
  var inherited: Int32?
  /// What messages call the input.
  package var name: String { path }
  package var isStandardInput: Bool { path == "-" }

  init(path: String, inherited: Int32? = nil) {
    self.path = path
    self.inherited = inherited
  }

  /// The number in a name of one of this process's own descriptors; nil when it is no such name.
  static func descriptor(_ path: String) -> Int32? {
    if path == "/dev/stdin" { return STDIN_FILENO }
    for prefix in ["/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"] where path.hasPrefix(prefix) {
      return Int32(path.dropFirst(prefix.count))
    }
    return nil
  }

  /// Whether the name is that of a regular file. To be asked before such a name is opened only to look into it: who
  /// opens a FIFO lets its writer go on, and who closes it again loses what was written.
  var namesRegularFile: Bool {
    var status = stat()
    return !isStandardInput && stat(path, &status) == 0 && status.isRegularFile
  }
}
