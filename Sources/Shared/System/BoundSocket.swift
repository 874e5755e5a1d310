import System

/// A socket on its way from where it was bound to the thread that serves it: closed with this, unless someone has taken
/// it.
final class BoundSocket: Sendable {
  /// The address of a socket of TCP.
  let address: IPAddress?
  private let file: Lock<FileDescriptor?>

  init(_ file: consuming FileDescriptor) {
    address = IPAddress(of: file.number)
    self.file = Lock(file)
  }

  /// Hands the descriptor over to its one owner; nil when it was taken before.
  func take() -> FileDescriptor? { file.withLock { $0.take() } }
}
