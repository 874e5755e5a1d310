import Glibc

extension FileDescriptor {
  /// The result of one non-blocking read.
  package enum Received: Equatable {
    /// This many bytes, at least one.
    case bytes(Int)
    /// The peer has ended the stream.
    case end
    /// Nothing is available yet.
    case nothing
    /// The stream cannot be read any more, with `errno`.
    case failed(Int32)
  }

  /// Reads the available bytes once.
  package func receive(into target: UnsafeMutableRawBufferPointer) -> Received {
    while true {
      let got = Glibc.read(number, target.baseAddress, target.count)
      if got > 0 { return .bytes(got) }
      if got == 0 { return .end }
      if errno == EAGAIN { return .nothing }
      if errno != EINTR { return .failed(errno) }
    }
  }

  /// Bytes that the kernel holds for the reader of a socket; 0 if unknown.
  package var unreadBytes: Int {
    var count: Int32 = 0
    return ioctl(number, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
  }
}
