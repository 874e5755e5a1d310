import System
import Glibc

/// Standard error, where both tools say what they have to say.
package enum StandardError {
  /// Writes bytes as they are: whoever makes them sees to it that a terminal finds nothing to obey. That standard error
  /// cannot be written has nowhere to be said.
  package static func write(_ bytes: [UInt8]) {
    try? FileDescriptor(borrowing: STDERR_FILENO).writeAll(bytes, subject: "standard error")
  }

  package static func write(_ text: String) { write(Array(text.utf8)) }
}
