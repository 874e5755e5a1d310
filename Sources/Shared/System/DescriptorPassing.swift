import CLinux
import Glibc

/// Messages between two processes over a Unix socket that preserves message boundaries, each with a descriptor or without.
package enum DescriptorPassing {
  /// The result of one attempt to receive.
  package enum Received: ~Copyable {
    /// A message, and the descriptor that came with it.
    case message(String, FileDescriptor?)
    /// No message is waiting.
    case notReady
    /// The other process has closed its end, or the socket failed.
    case ended
  }

  /// Sends a message. `descriptor` is duplicated into the other process; negative sends none.
  package static func send(
    _ message: String, _ descriptor: Int32, over file: borrowing FileDescriptor
  ) throws(SystemCallError) {
    let bytes = Array(message.utf8)
    while kata_send_descriptor(file.number, bytes, bytes.count, descriptor) < 0 {
      if errno != EINTR { throw SystemCallError("send", "the other process") }
    }
  }

  /// Receives a message of at most 256 bytes, without waiting for one.
  package static func receive(_ file: borrowing FileDescriptor) -> Received {
    var bytes = [UInt8](repeating: 0, count: 256)
    var descriptor: Int32 = -1
    let count = kata_receive_descriptor(file.number, &bytes, bytes.count, &descriptor)
    if count < 0, errno == EAGAIN || errno == EINTR { return .notReady }
    guard count > 0 else { return .ended }
    return .message(
      String(decoding: bytes[..<count], as: UTF8.self),
      descriptor >= 0 ? FileDescriptor(owning: descriptor) : nil)
  }
}
