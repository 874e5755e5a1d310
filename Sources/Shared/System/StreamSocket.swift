import CLinux
import Glibc

/// Reading from and writing to a connection that does not block.
package enum StreamSocket {
  /// The result of one attempt.
  package enum Transfer: Equatable {
    /// This many bytes went; at least one.
    case bytes(Int)
    /// Nothing can be transferred at present.
    case notReady
    /// The peer has closed its side.
    case ended
    /// The connection is broken.
    case failed
  }

  /// Reads what there is, as much as `buffer` has room for, into its beginning.
  package static func receive(_ file: borrowing FileDescriptor, into buffer: inout [UInt8]) -> Transfer {
    let got = Glibc.read(file.number, &buffer, buffer.count)
    if got > 0 { return .bytes(got) }
    if got == 0 { return buffer.isEmpty ? .notReady : .ended }
    return errno == EAGAIN || errno == EINTR ? .notReady : .failed
  }

  /// Writes the bytes of `bytes` from `start` on, as many as there is room for.
  ///
  /// - Parameter isFollowed: whether more follows at once, so that the kernel may wait for it to fill a packet.
  package static func send(
    _ file: borrowing FileDescriptor, _ bytes: [UInt8], from start: Int, isFollowed: Bool
  ) -> Transfer {
    guard (0..<bytes.count).contains(start) else { return .notReady }
    let flags = Int32(MSG_NOSIGNAL) | (isFollowed ? Int32(MSG_MORE) : 0)
    while true {
      let number = file.number
      let sent = bytes.withUnsafeBytes { bytes in
        bytes.baseAddress.map { Glibc.send(number, $0 + start, bytes.count - start, flags) } ?? 0
      }
      if sent > 0 { return .bytes(sent) }
      if sent == 0 || errno == EAGAIN { return .notReady }
      if errno != EINTR { return .failed }
    }
  }

  /// Whether the peer has sent something, or its end, that would be read.
  package static func hasInput(_ file: borrowing FileDescriptor) -> Bool {
    var entry = pollfd(fd: file.number, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) > 0
  }

  /// Tells the peer that nothing more will be sent; what the peer still sends can be read.
  package static func endWriting(_ file: borrowing FileDescriptor) {
    _ = shutdown(file.number, Int32(SHUT_WR))
  }
}
