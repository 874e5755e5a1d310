import System
import Glibc

/// An input by its name.
package struct InputPath: Equatable, Sendable {
  /// The absolute path with links resolved, or `-`.
  package var path: String
  /// What messages call the input.
  package var name: String { path }
  package var isStandardInput: Bool { path == "-" }

  /// Whether the name is that of a regular file. To be asked before such a name is opened only to look into it: who
  /// opens a FIFO lets its writer go on, and who closes it again loses what was written.
  var namesRegularFile: Bool {
    var status = stat()
    return !isStandardInput && stat(path, &status) == 0 && status.isRegularFile
  }
}
