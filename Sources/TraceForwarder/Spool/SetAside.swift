import Basics
import Glibc
import Synchronization
import Tracing

/// Spans that a destination refused, kept on disk: records as in the spool, in one file.
package final class SetAside: Sendable {
  private let directory: String
  private let maximumSize: Int
  private let losses: LossLedger
  private let lock = Mutex(())

  package init(directory: String, maximumSize: Int, losses: LossLedger) {
    self.directory = directory
    self.maximumSize = maximumSize
    self.losses = losses
  }

  /// Keeps a span, and returns when it is on disk.
  package func add(_ payload: UnsafeRawBufferPointer, exporter: String, status: Int, reason: String)
    throws(SystemCallError)
  {
    try lock.withLock { (_: inout Void) throws(SystemCallError) in
      if mkdir(directory, 0o700) != 0, errno != EEXIST {
        throw SystemCallError("make the directory", directory)
      }
      let path = "\(directory)/spans"
      let file = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
      let size = Int(try file.status(path).st_size)
      var record = ByteWriter(capacity: payload.count + 16)
      SpoolFormat.append(payload, to: &record)
      guard size + record.count <= maximumSize else { throw SystemCallError("write", path, code: ENOSPC) }
      do throws(SystemCallError) {
        try file.writeAll(record.bytes, subject: path)
        guard fdatasync(file.number) == 0 else { throw SystemCallError("fdatasync", path) }
      } catch {
        _ = ftruncate(file.number, size)
        throw error
      }
    }
  }
}
