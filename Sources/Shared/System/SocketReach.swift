import Glibc

/// How far an address of a socket reaches, as the kernel tells it.
package enum SocketReach {
  /// A Unix socket.
  case unix
  /// An address of TCP that only this machine has: 127.0.0.0/8 or ::1.
  case loopback
  case network

  /// Of the address that a socket is bound to.
  package static func bound(_ file: borrowing FileDescriptor) -> SocketReach {
    reach(file.number, getsockname)
  }

  /// Of a connection's other end.
  package static func peer(_ file: borrowing FileDescriptor) -> SocketReach {
    reach(file.number, getpeername)
  }

  private static func reach(
    _ number: Int32, _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
  ) -> SocketReach {
    var address = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(number, $0, &length) }
    }
    guard code == 0 else { return .network }
    return withUnsafeBytes(of: address) { bytes in
      switch Int32(address.ss_family) {
      case AF_UNIX: .unix
      // Behind the family and the port.
      case AF_INET: isLoopback(bytes[4..<8]) ? .loopback : .network
      // Behind the flow label as well.
      case AF_INET6: isLoopback(bytes[8..<24]) ? .loopback : .network
      default: .network
      }
    }
  }

  /// Whether a text is an address of the loopback network, without brackets or a port.
  package static func isLoopback(_ host: String) -> Bool {
    var address = [UInt8](repeating: 0, count: 16)
    if inet_pton(AF_INET, host, &address) == 1 { return isLoopback(address.prefix(4)) }
    return inet_pton(AF_INET6, host, &address) == 1 && isLoopback(address)
  }

  /// Whether the 4 or 16 bytes of an address are of the loopback network.
  package static func isLoopback(_ address: some Collection<UInt8>) -> Bool {
    if address.count == 4 { return address.first == 127 }
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
    if address.starts(with: mapped) { return isLoopback(Array(address.dropFirst(12))) }
    return address.count == 16 && address.dropLast().allSatisfy { $0 == 0 } && address.map { $0 }.last == 1
  }
}
