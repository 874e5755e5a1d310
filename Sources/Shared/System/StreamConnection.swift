import CLinux
import Glibc

/// An outgoing connection over TCP or a Unix socket. No call waits longer than its time limit.
package struct StreamConnection: ~Copyable {
  /// The result of waiting for bytes.
  package enum Received: Equatable {
    case bytes(Int)
    /// The time was over, or the wait was interrupted for other work.
    case nothing
    /// The peer has closed its side.
    case end
    /// The connection failed, with this `errno`.
    case failed(Int32)
  }

  /// Milliseconds after which a wait checks whether the process is stopping.
  private static let lookInterval = 250

  private let file: FileDescriptor
  private let stop: StopDeadline

  private init(_ file: consuming FileDescriptor, _ stop: StopDeadline) {
    self.file = file
    self.stop = stop
  }

  // MARK: Connecting

  /// Connects to the first of a name's addresses that answers.
  package static func tcp(_ address: SocketAddress, until time: Int, _ stop: StopDeadline)
    throws(SystemCallError) -> StreamConnection
  {
    var failure = SystemCallError("connect", address.description, code: ETIMEDOUT)
    for (family, bytes) in try address.resolveAll() {
      let file = try make(family, address.description)
      setOptions(file.number)
      let code = bytes.withUnsafeBytes { bytes in
        bytes.baseAddress.map {
          connect(file.number, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        } ?? -1
      }
      if code == 0 { return StreamConnection(file, stop) }
      if errno == EINPROGRESS {
        let reason = outcome(file.number, until: time, stop)
        if reason == 0 { return StreamConnection(file, stop) }
        failure = SystemCallError("connect", address.description, code: reason)
      } else {
        failure = SystemCallError("connect", address.description)
      }
    }
    throw failure
  }

  /// Connects to the Unix socket at a path.
  package static func unix(_ path: String, _ stop: StopDeadline) throws(SystemCallError) -> StreamConnection {
    let file = try make(AF_UNIX, path)
    guard kata_unix_socket(file.number, path, 1) == 0 else { throw SystemCallError("connect", path) }
    return StreamConnection(file, stop)
  }

  private static func make(_ family: Int32, _ subject: String) throws(SystemCallError) -> FileDescriptor {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let number = socket(family, type, 0)
    guard number >= 0 else { throw SystemCallError("socket", subject) }
    return FileDescriptor(owning: number)
  }

  /// Detects a peer that vanished without closing: after a minute of silence, or when it accepts no data for 30 s.
  private static func setOptions(_ number: Int32) {
    func set(_ level: Int32, _ option: Int32, _ value: Int32) {
      var value = value
      _ = setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
    set(SOL_SOCKET, SO_KEEPALIVE, 1)
    let tcp = Int32(IPPROTO_TCP)
    set(tcp, TCP_NODELAY, 1)
    set(tcp, TCP_KEEPIDLE, 30)
    set(tcp, TCP_KEEPINTVL, 10)
    set(tcp, TCP_KEEPCNT, 3)
    set(tcp, TCP_USER_TIMEOUT, 30_000)
  }

  /// Waits until a connection is made. Returns 0, or the `errno` of the failure.
  private static func outcome(_ number: Int32, until time: Int, _ stop: StopDeadline) -> Int32 {
    while true {
      let now = MonotonicClock.milliseconds
      if now >= time || stop.isOver { return ETIMEDOUT }
      var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
      guard poll(&entry, 1, Int32(clamping: min(time - now, lookInterval))) > 0 else { continue }
      var code: Int32 = 0
      var length = socklen_t(MemoryLayout<Int32>.size)
      return getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }
  }

  // MARK: Transfer

  /// Sends all bytes. Returns 0, or the `errno` of the failure: `ETIMEDOUT` if the time was over.
  ///
  /// - Parameter isFollowed: whether more data follows at once, so that the kernel may wait to fill a packet.
  package func send(_ bytes: UnsafeRawBufferPointer, until time: Int, isFollowed: Bool = false) -> Int32 {
    let flags = Int32(MSG_NOSIGNAL) | (isFollowed ? Int32(MSG_MORE) : 0)
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let sent = Glibc.send(file.number, base + done, bytes.count - done, flags)
      if sent > 0 {
        done += sent
        continue
      }
      if errno == EINTR { continue }
      guard errno == EAGAIN else { return errno }
      let now = MonotonicClock.milliseconds
      if now >= time || stop.isOver { return ETIMEDOUT }
      var entry = pollfd(fd: file.number, events: Int16(POLLOUT), revents: 0)
      _ = poll(&entry, 1, Int32(clamping: min(time - now, Self.lookInterval)))
    }
    return 0
  }

  /// Waits for bytes and reads what is available.
  ///
  /// - Parameter wakeup: ends the wait when it is raised, and is then reset.
  package func receive(into buffer: inout [UInt8], until time: Int, orRaised wakeup: Wakeup? = nil)
    -> Received
  {
    while true {
      switch StreamSocket.receive(file, into: &buffer) {
      case .bytes(let count): return .bytes(count)
      case .ended: return .end
      case .failed: return .failed(errno)
      case .notReady: break
      }
      let now = MonotonicClock.milliseconds
      if now >= time || stop.isOver { return .nothing }
      var entries = [
        pollfd(fd: file.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: wakeup?.file.number ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      let patience = wakeup == nil ? min(time - now, Self.lookInterval) : time - now
      _ = poll(&entries, 2, Int32(clamping: patience))
      if entries[1].revents != 0 {
        wakeup?.clear()
        if entries[0].revents == 0 { return .nothing }
      }
    }
  }

  /// Whether the peer has sent something that was not read yet, or has closed its side.
  package var hasInput: Bool { StreamSocket.hasInput(file) }
}

extension SocketAddress {
  /// All addresses of the name, in the order in which the system prefers them.
  package func resolveAll() throws(SystemCallError) -> [(family: Int32, bytes: [UInt8])] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV
    var result: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &result) == 0 else {
      throw SystemCallError("resolve the name", description, code: ENOENT)
    }
    defer { freeaddrinfo(result) }
    var all: [(family: Int32, bytes: [UInt8])] = []
    var next = result
    while let entry = next?.pointee {
      if let address = entry.ai_addr {
        let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
        all.append((entry.ai_family, Array(bytes)))
      }
      next = entry.ai_next
    }
    return all
  }
}

/// The name of this machine.
package enum HostName {
  package static var current: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
