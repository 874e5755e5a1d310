import Bytes
import Synchronization

/// The last shown values of fields that consecutive records often share, so that a terminal shows only changes. Output
/// for a terminal is formatted in order, by one thread.
final class PrettyMemory: Sendable {
  private let sandbox = Atomic<UInt64>(0)
  private let container = Atomic<UInt64>(0)
  private let pid = Atomic<UInt64>(0)
  private let host = Atomic<UInt64>(0)

  func isNew(sandbox name: ByteSlice) -> Bool { note(name, sandbox) }
  func isNew(container name: ByteSlice) -> Bool { note(name, container) }
  func isNew(host name: ByteSlice) -> Bool { note(name, host) }

  func isNew(pid number: Int) -> Bool {
    let number = UInt64(clamping: number)
    return pid.exchange(number, ordering: .relaxed) != number
  }

  /// Stores a hash; zero means no value.
  private func note(_ name: ByteSlice, _ last: borrowing Atomic<UInt64>) -> Bool {
    var hash: UInt64 = 0
    if !name.isEmpty {
      var hasher = Hasher()
      for byte in name.bytes { hasher.combine(byte) }
      hash = UInt64(hasher.finalize().magnitude)
    }
    return last.exchange(hash, ordering: .relaxed) != hash
  }
}
