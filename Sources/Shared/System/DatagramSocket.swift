import CLinux
import Glibc

/// Sending datagrams to one peer over UDP.
package enum DatagramSocket {
  /// A socket that is connected to `address`, so that the system reports a peer on this machine that is not listening.
  ///
  /// - Parameter sendBuffer: the size in bytes that the system is asked to buffer.
  package static func connected(to address: SocketAddress, sendBuffer: Int32) throws(SystemCallError)
    -> FileDescriptor
  {
    let subject = "udp:\(address)"
    let resolved = try address.resolve(datagram: true)
    let number = socket(resolved.family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw SystemCallError("socket", subject) }
    let file = FileDescriptor(owning: number)
    var size = sendBuffer
    _ = setsockopt(number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    let code = resolved.bytes.withUnsafeBytes { bytes in
      bytes.baseAddress.map {
        connect(number, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
      } ?? -1
    }
    guard code == 0 else { throw SystemCallError("connect", subject) }
    return file
  }

  /// Sends one datagram; `subject` names the peer in errors.
  package static func send(
    _ file: borrowing FileDescriptor, _ bytes: UnsafeRawBufferPointer, subject: String
  ) throws(SystemCallError) {
    guard Glibc.send(file.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
      throw SystemCallError("send", subject)
    }
  }
}
