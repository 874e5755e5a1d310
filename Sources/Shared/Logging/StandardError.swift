import Glibc
import System

/// Standard error, where both tools report.
package enum StandardError {
  /// Writes bytes unchanged: the caller ensures that they do not control a terminal. If standard error cannot be written,
  /// there is nowhere to report that.
  package static func write(_ bytes: [UInt8]) {
    try? FileDescriptor(borrowing: STDERR_FILENO).writeAll(bytes, subject: "standard error")
  }

  package static func write(_ text: String) { write(Array(text.utf8)) }
}
