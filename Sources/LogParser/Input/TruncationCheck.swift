import Glibc
import System

/// Detects whether a followed file still contains what was read from it, or was truncated in place and rewritten.
///
/// A truncated file is shorter than what was read or, if it has grown again, has other bytes where the last ones were
/// read. Truncation is not detected if the very same bytes are there.
struct TruncationCheck {
  private static let length = 64

  /// The last bytes that were read.
  private var tail: [UInt8] = []

  /// Notes that `bytes` were read.
  mutating func note(_ bytes: UnsafeBufferPointer<UInt8>) {
    let kept = max(0, min(tail.count, Self.length - bytes.count))
    tail.removeFirst(tail.count - kept)
    tail.append(contentsOf: bytes.suffix(Self.length))
  }

  /// Forgets everything, because reading restarts.
  mutating func reset() { tail.removeAll(keepingCapacity: true) }

  /// Whether the file has changed before `offset`, up to which it was read.
  func isTruncated(
    _ file: borrowing FileDescriptor, before offset: Int, subject: String
  ) throws(SystemCallError) -> Bool {
    if try file.status(subject).st_size < offset { return true }
    let count = tail.count
    guard count > 0, offset >= count else { return false }
    var isSame = false
    var failure: SystemCallError?
    withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { room in
      guard let base = room.baseAddress else { return }
      do throws(SystemCallError) {
        let got = try file.read(at: offset - count, into: base, count: count, subject: subject)
        isSame = got == count && tail.elementsEqual(room)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return !isSame
  }
}
