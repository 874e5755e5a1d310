import Bytes
import Encodings
import Glibc
import System

/// Records that no receiver accepts, one JSON object per line: the time, the receiver, the reason, and the record as it
/// was to be sent, in Base64. See `formats/output/fluentd`.
///
/// The file is bounded: at half of the maximum it is renamed to `PATH.1`, replacing the previous file of that name.
package final class SetAsideFile: SetAsideStore {
  /// Bytes of a reason that are kept.
  private static let longestReason = 1000

  private let path: String
  private let maximumSize: Int

  /// - Parameter maximumSize: bytes of both files together.
  package init(path: String, maximumSize: Int = 64 << 20) {
    self.path = path
    self.maximumSize = maximumSize
  }

  package func add(_ chunk: Chunk, receiver: String, reason: String) throws(SystemCallError) {
    let line = line(chunk, receiver, reason)
    let file = try FileDescriptor.open(
      path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
    let size = Int(try file.status(path).st_size)
    if size > 0, size + line.count > maximumSize / 2 {
      guard rename(path, "\(path).1") == 0 else { throw SystemCallError("rename", path) }
      let next = try FileDescriptor.open(
        path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
      return try write(line, to: next, at: 0)
    }
    try write(line, to: file, at: size)
  }

  private func write(_ line: [UInt8], to file: borrowing FileDescriptor, at size: Int) throws(SystemCallError)
  {
    do throws(SystemCallError) {
      try file.writeAll(line, subject: path)
      try file.sync(path)
    } catch {
      // A partial line would corrupt the next one.
      _ = ftruncate(file.number, off_t(size))
      throw error
    }
    if size == 0 { try AtomicFile.syncDirectory(of: path) }
  }

  private func line(_ chunk: Chunk, _ receiver: String, _ reason: String) -> [UInt8] {
    var out = ByteWriter(capacity: chunk.size / 3 * 4 + 2048)
    let now = WallClock.nanoseconds
    out.put("{\"time\":\"")
    out.put(
      rfc3339: Timestamp(seconds: Int64(now / 1_000_000_000), nanoseconds: UInt32(now % 1_000_000_000)))
    out.put("\",\"receiver\":")
    out.put(json: receiver)
    out.put(",\"reason\":")
    out.put(json: String(decoding: reason.utf8.prefix(Self.longestReason), as: UTF8.self))
    out.put(",\"record\":\"")
    chunk.withPayload { Base64.put($0, to: &out) }
    out.put("\"}\n")
    return out.array
  }
}
