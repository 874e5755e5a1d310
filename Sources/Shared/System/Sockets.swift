import CLinux
import Glibc

/// Sockets that listen.
package enum ListeningSocket {
  /// The longest queue of connections that are not accepted yet. Guests could fill the kernel's memory with a longer
  /// one.
  private static let backlog: Int32 = 128
  /// The same of a Unix socket, as long as the kernel allows (net.core.somaxconn). Where it is full, connect(2) of a
  /// non-blocking socket fails at once and is not retried by anything, unlike over TCP.
  private static let localBacklog = Int32(SOMAXCONN)

  /// AF_VSOCK; `UInt32.max` is any context id.
  package static func vsock(cid: UInt32, port: UInt32) throws(SystemCallError) -> FileDescriptor {
    let subject = "vsock:\(cid == .max ? "any" : String(cid)):\(port)"
    let file = try make(AF_VSOCK, subject)
    guard kata_bind_vsock(file.number, cid, port) == 0 else { throw SystemCallError("bind", subject) }
    return try listen(file, subject)
  }

  /// A Unix socket for the owner of the directory that it is in, as whom the hypervisor runs. A socket without a
  /// listener is replaced; one that has a listener is an error.
  package static func unix(_ path: String) throws(SystemCallError) -> FileDescriptor {
    if path.hasPrefix("@") { return try unix(path, path) }
    let slash = path.lastIndex(of: "/")
    let directory = try CheckedDirectory(slash.map { "\(path[..<$0])/" } ?? ".")
    guard directory.isComplete else { throw SystemCallError("bind", path, code: ENOENT) }
    return try unix(in: directory, String(path[(slash.map(path.index(after:)) ?? path.startIndex)...]), path)
  }

  /// The same in a directory that is known; `path` is what errors and other programs call the socket.
  package static func unix(in directory: borrowing CheckedDirectory, _ name: String, _ path: String)
    throws(SystemCallError) -> FileDescriptor
  {
    // Through the directory itself where a user could change what the path means, or where the path is too long.
    let isPlain = directory.isTrusted && path.utf8.count < 108
    let place = isPlain ? path : "\(directory.path)/\(name)"
    return try directory.asOwner { () throws(SystemCallError) in try unix(place, path) }
  }

  private static func unix(_ place: String, _ path: String) throws(SystemCallError) -> FileDescriptor {
    let file = try make(AF_UNIX, path)
    // The mode that the socket's file gets; umask(2) would be the other threads' as well.
    guard fchmod(file.number, 0o600) == 0 else { throw SystemCallError("fchmod", path) }
    var code = kata_unix_socket(file.number, place, 0)
    if code != 0, errno == EADDRINUSE {
      if isStale(place), unlink(place) == 0 {
        code = kata_unix_socket(file.number, place, 0)
      } else {
        errno = EADDRINUSE
      }
    }
    guard code == 0 else { throw SystemCallError("bind", path) }
    return try listen(file, path, backlog: localBacklog)
  }

  private static func isStale(_ path: String) -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK,
      let probe = try? make(AF_UNIX, path)
    else { return false }
    return kata_unix_socket(probe.number, path, 1) != 0 && errno == ECONNREFUSED
  }

  /// TCP; the address is `HOST:PORT`, `[IPv6]:PORT` or `:PORT`.
  package static func tcp(_ address: SocketAddress) throws(SystemCallError) -> FileDescriptor {
    let resolved = try address.resolve()
    let file = try make(resolved.family, address.description)
    var on: Int32 = 1
    _ = setsockopt(file.number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    let code = resolved.bytes.withUnsafeBytes { bytes in
      bytes.baseAddress.map {
        bind(file.number, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
      } ?? -1
    }
    guard code == 0 else { throw SystemCallError("bind", address.description) }
    return try listen(file, address.description)
  }

  /// The result of an attempt to accept a connection.
  package enum Accepted: ~Copyable {
    /// A connection. `cid` is the peer's context id over AF_VSOCK, and 0 otherwise.
    case connection(FileDescriptor, cid: UInt32)
    /// The peer gave up, or a signal interrupted the call: the next attempt may succeed.
    case retry
    /// No connection is waiting, or the socket failed.
    case nothing
    /// The process or the system cannot open another file; the code is `errno`.
    case noDescriptor(Int32)
  }

  private static let accepting = Lock(())

  /// Accepts a connection that waits. What `release` frees before, no other thread that accepts can have.
  package static func accept(
    _ listener: borrowing FileDescriptor, after release: () -> Void = {}
  ) -> Accepted {
    let listener = listener.number
    return accepting.withLock { _ in
      release()
      var cid: UInt32 = 0
      let number = kata_accept(listener, &cid)
      if number >= 0 { return .connection(FileDescriptor(owning: number), cid: cid) }
      switch errno {
      case ECONNABORTED, EINTR: return .retry
      case EMFILE, ENFILE, ENOMEM, ENOBUFS: return .noDescriptor(errno)
      default: return .nothing
      }
    }
  }

  /// The path that a Unix socket is bound to; nil for other sockets and for abstract addresses.
  package static func path(of file: borrowing FileDescriptor) -> String? {
    let number = file.number
    var address = sockaddr_un()
    var length = socklen_t(MemoryLayout<sockaddr_un>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
    }
    guard code == 0, address.sun_family == sa_family_t(AF_UNIX) else { return nil }
    let path = withUnsafeBytes(of: address.sun_path) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return path.isEmpty ? nil : path
  }

  /// Whether a connection waits to be accepted. Without a free descriptor, accept(2) fails before it looks.
  package static func hasConnection(_ file: borrowing FileDescriptor) -> Bool { StreamSocket.hasInput(file) }

  private static func make(_ family: Int32, _ subject: String) throws(SystemCallError) -> FileDescriptor {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let number = socket(family, type, 0)
    guard number >= 0 else { throw SystemCallError("socket", subject) }
    return FileDescriptor(owning: number)
  }

  private static func listen(
    _ file: consuming FileDescriptor, _ subject: String, backlog: Int32 = Self.backlog
  ) throws(SystemCallError) -> FileDescriptor {
    guard Glibc.listen(file.number, backlog) == 0 else { throw SystemCallError("listen", subject) }
    return file
  }
}

/// An address of TCP or UDP as people write it.
package struct SocketAddress: Sendable, CustomStringConvertible, Equatable {
  package var host: String
  package var port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      return nil
    }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    self.init(host: host.isEmpty ? "0.0.0.0" : host, port: port)
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The address as the kernel takes it, the first that the name has.
  package func resolve(datagram: Bool = false) throws(SystemCallError) -> (family: Int32, bytes: [UInt8]) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(datagram ? SOCK_DGRAM.rawValue : SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var result: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &result) == 0, let first = result else {
      throw SystemCallError("resolve the name", description, code: ENOENT)
    }
    defer { freeaddrinfo(result) }
    let length = Int(first.pointee.ai_addrlen)
    guard let address = first.pointee.ai_addr else {
      throw SystemCallError("resolve the name", description, code: ENOENT)
    }
    return (first.pointee.ai_family, Array(UnsafeRawBufferPointer(start: address, count: length)))
  }
}
