import Bytes
import Synchronization

/// What a terminal was shown last of the fields that many records in a row share, so that it is shown where it changes.
/// What goes to a terminal is formatted in order, by one thread.
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

  /// By a hash; zero is that of nothing.
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
