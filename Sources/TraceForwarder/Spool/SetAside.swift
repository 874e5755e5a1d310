import Basics
import Glibc
import Synchronization
import Tracing

/// Spans that a destination refused for good, on disk beside the spool.
package final class SetAside: Sendable {
  let directory: String
  private let maximumSize: Int
  private let losses: LossLedger

  /// Creates nothing before the first span.
  ///
  /// - Parameters:
  ///   - directory: `set-aside` in the spool's directory.
  ///   - maximumSize: bytes of all files together; the oldest file is deleted, and counted, to stay below.
  package init(directory: String, maximumSize: Int, losses: LossLedger) {
    self.directory = directory
    self.maximumSize = maximumSize
    self.losses = losses
  }

  /// Appends one span's record, which is on disk when this returns. Throws when the disk does not take it: the caller
  /// then keeps the span and tries again.
  package func add(
    _ payload: UnsafeRawBufferPointer, exporter: String, status: Int, reason: String
  ) throws(SystemCallError) {
    throw SystemCallError("write", directory, code: ENOSYS)
  }
}
