import CLinux
import Glibc

/// An IP address and a port; an IPv4 address is stored as an IPv4-mapped IPv6 address.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
  private var bytes: [UInt8]
  package private(set) var port: UInt16
  private var isV4: Bool
  /// The interface of a link-local address, in the kernel's form.
  private var scope = [UInt8](repeating: 0, count: 4)

  private static let v4Prefix = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]

  /// Reads a `sockaddr_in` or `sockaddr_in6`; nil when it is neither.
  init?(_ address: UnsafeRawBufferPointer) {
    guard address.count >= 16 else { return nil }
    let family = Int32(address.loadUnaligned(as: sa_family_t.self))
    // The port is in the same place in both, after the family.
    port = UInt16(address[2]) << 8 | UInt16(address[3])
    if family == AF_INET {
      bytes = Self.v4Prefix + address[4..<8]
    } else if family == AF_INET6, address.count >= 24 {
      bytes = Array(address[8..<24])
      if address.count >= 28 { scope = Array(address[24..<28]) }
    } else {
      return nil
    }
    isV4 = bytes.starts(with: Self.v4Prefix)
  }

  /// The address that a socket is bound to.
  package init?(of socket: Int32) {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let code = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
    }
    guard code == 0 else { return nil }
    let made = withUnsafeBytes(of: storage) {
      IPAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(length))))
    }
    guard let made else { return nil }
    self = made
  }

  private var host: ArraySlice<UInt8> { isV4 ? bytes[12...] : bytes[...] }
  private var isAny: Bool { host.allSatisfy { $0 == 0 } }
  private var isLoopback: Bool {
    isV4 ? bytes[12] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
  }

  /// Whether a listener at this address gets the connections to `target`.
  package func accepts(_ target: IPAddress) -> Bool {
    guard port == target.port else { return false }
    if isAny {
      // One of IPv6 takes IPv4 as well.
      return (!isV4 || target.isV4)
        && (target.isAny || target.isLoopback || target.isLocal)
    }
    // A connection to no particular address is one to this machine.
    return target.isAny ? isLoopback && isV4 == target.isV4 : bytes == target.bytes
  }

  /// Whether this machine has the address: it is then also the source address of packets to it. Nothing is sent to find
  /// out. The list of interfaces would need a netlink socket, which the systemd unit does not allow.
  private var isLocal: Bool {
    let family = isV4 ? AF_INET : AF_INET6
    let number = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return false }
    let file = FileDescriptor(owning: number)
    let code = socketAddress.withUnsafeBytes { address in
      address.baseAddress.map {
        connect(file.number, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
      } ?? -1
    }
    return code == 0 && IPAddress(of: file.number)?.bytes == bytes
  }

  /// As the kernel takes it, in the fields' order of `sockaddr_in` and `sockaddr_in6`.
  private var socketAddress: [UInt8] {
    let family = withUnsafeBytes(of: sa_family_t(isV4 ? AF_INET : AF_INET6)) { Array($0) }
    let zeros = [UInt8](repeating: 0, count: isV4 ? 8 : 4)
    let head = family + [UInt8(port >> 8), UInt8(port & 0xff)]
    return isV4 ? head + host + zeros : head + zeros + host + scope
  }

  /// All addresses of a name; none if it has none or takes longer than these milliseconds.
  package static func resolve(host: String, port: UInt16, within milliseconds: Int) -> [IPAddress] {
    guard let done = try? Wakeup() else { return [] }
    let result = Resolution()
    // Abandoned if it takes too long: the resolver's call cannot be cancelled.
    let thread = WorkerThread.start {
      result.addresses.withLock { $0 = all(host, port) }
      done.raise()
    }
    guard thread != nil else { return [] }
    done.wait(milliseconds: milliseconds)
    return result.addresses.withLock { $0 }
  }

  private static func all(_ host: String, _ port: UInt16) -> [IPAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var first: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &first) == 0 else { return [] }
    defer { freeaddrinfo(first) }
    var found: [IPAddress] = []
    var next = first
    while let entry = next {
      next = entry.pointee.ai_next
      guard let address = entry.pointee.ai_addr else { continue }
      let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.pointee.ai_addrlen))
      if let made = IPAddress(bytes) { found.append(made) }
    }
    return found
  }

  private final class Resolution: Sendable {
    let addresses = Lock<[IPAddress]>([])
  }

  package var description: String {
    let numbers = host.map(String.init)
    if isV4 { return "\(numbers.joined(separator: ".")):\(port)" }
    var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    _ = bytes.withUnsafeBytes { inet_ntop(AF_INET6, $0.baseAddress, &text, socklen_t(text.count)) }
    return
      "[\(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))]:\(port)"
  }
}
