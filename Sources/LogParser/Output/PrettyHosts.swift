import Bytes
import Synchronization

/// Which host the last record was from, so that a terminal shows the name only where it changes. What goes to a terminal
/// is formatted in order, by one thread.
final class PrettyHosts: Sendable {
  /// A hash of the name; 0 before the first.
  private let last = Atomic<UInt64>(0)

  /// Whether this is another host than that of the record before.
  func isNew(_ name: ByteSlice) -> Bool {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return last.exchange(hash, ordering: .relaxed) != hash
  }
}
