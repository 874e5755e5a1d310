/// A socket on its way from where it was bound to the thread that serves it: closed with this, unless someone has taken
/// it.
package final class BoundSocket: Sendable {
  /// The address of a socket of TCP.
  package let address: IPAddress?
  private let file: Lock<FileDescriptor?>

  package init(_ file: consuming FileDescriptor) {
    address = IPAddress(of: file.number)
    self.file = Lock(file)
  }

  /// Hands the descriptor over to its one owner; nil when it was taken before.
  package func take() -> FileDescriptor? { file.withLock { $0.take() } }
}
