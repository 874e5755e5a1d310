import Foundation
import TestSupport

/// A blocking socket of a test: a client of Unix sockets and TCP, or a TCP server.
final class LocalSocket: @unchecked Sendable {
  struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ what: String) { description = "\(what): \(String(cString: strerror(errno)))" }
  }

  let number: Int32

  init(number: Int32) { self.number = number }
  deinit { close(number) }

  /// Connects to a Unix socket.
  convenience init(path: String, isBlocking: Bool = true) throws {
    let flags = Int32(SOCK_CLOEXEC.rawValue) | (isBlocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
    self.init(number: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes.prefix($0.count - 1)) }
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard code == 0 else { throw Failure("connect to \(path)") }
    setTimeout(60_000)
  }

  /// Connects to a port of 127.0.0.1.
  convenience init(port: UInt16) throws {
    self.init(number: socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
    guard Self.with(port, { connect(number, $0, $1) }) == 0 else { throw Failure("connect to port \(port)") }
    setTimeout(60_000)
  }

  /// Listens on a port of 127.0.0.1, which the system chooses when it is 0.
  convenience init(listeningOn port: UInt16) throws {
    self.init(number: socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
    var on: Int32 = 1
    setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, 4)
    guard Self.with(port, { bind(number, $0, $1) }) == 0, listen(number, 64) == 0 else {
      throw Failure("listen on port \(port)")
    }
  }

  /// A UDP socket on a port of 127.0.0.1, which the system chooses when it is 0.
  static func datagrams(port: UInt16 = 0) throws -> LocalSocket {
    let result = LocalSocket(
      number: socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
    guard with(port, { bind(result.number, $0, $1) }) == 0 else { throw Failure("bind") }
    // Room for all that a test sends, should its reader be late: as much as root may have, else as others.
    var size: Int32 = 16 << 20
    for option in [SO_RCVBUF, SO_RCVBUFFORCE] {
      setsockopt(result.number, SOL_SOCKET, option, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    return result
  }

  private static func with(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  var port: UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
    }
    return UInt16(bigEndian: address.sin_port)
  }

  func accept() -> LocalSocket? {
    let peer = Glibc.accept(number, nil, nil)
    return peer < 0 ? nil : LocalSocket(number: peer)
  }

  /// Wakes up threads that wait for the socket; the descriptor stays until it is let go of.
  func shutDown() { shutdown(number, Int32(SHUT_RDWR)) }
  func endWriting() { shutdown(number, Int32(SHUT_WR)) }

  /// Makes waits for input and for room end with an error after this many milliseconds.
  func setTimeout(_ milliseconds: Int) {
    var time = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(number, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  func write(_ data: Data) throws {
    try data.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count, let base = bytes.baseAddress {
        let sent = send(number, base + done, bytes.count - done, Int32(MSG_NOSIGNAL))
        guard sent > 0 else { throw Failure("send") }
        done += sent
      }
    }
  }

  /// Some bytes; none at the end.
  func read(_ limit: Int = 64 << 10) throws -> Data {
    var bytes = [UInt8](repeating: 0, count: limit)
    let got = recv(number, &bytes, limit, 0)
    guard got >= 0 else { throw Failure("receive") }
    return Data(bytes[..<got])
  }

  /// All bytes up to the end.
  func readAll() throws -> Data {
    var result = Data()
    while true {
      let piece = try read()
      if piece.isEmpty { return result }
      result += piece
    }
  }

  /// Whether the other side has closed the connection; waits at most `seconds` for that.
  func isClosedByPeer(seconds: Double = 10) -> Bool {
    var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, Int32(seconds * 1000)) > 0 else { return false }
    var byte: UInt8 = 0
    return recv(number, &byte, 1, Int32(MSG_DONTWAIT)) <= 0 && errno != EAGAIN
  }
}

/// An answer over HTTP.
struct HTTPAnswer {
  var status: Int
  var head: String
  var body: Data
  var text: String { String(decoding: body, as: UTF8.self) }

  static func get(_ address: String, _ path: String) throws -> HTTPAnswer {
    try send(address, "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n")
  }

  static func post(
    _ address: String, _ path: String, type: String, _ body: Data, headers: String = ""
  ) throws -> HTTPAnswer {
    try send(
      address,
      "POST \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\nContent-Type: \(type)\r\n"
        + "Content-Length: \(body.count)\r\n\(headers)\r\n", body)
  }

  private static func send(_ address: String, _ head: String, _ body: Data = Data()) throws -> HTTPAnswer {
    guard let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw TestFailure(description: "\"\(address)\" is no address")
    }
    let socket = try LocalSocket(port: port)
    socket.setTimeout(20_000)
    try socket.write(Data(head.utf8) + body)
    let answer = try socket.readAll()
    guard let end = answer.range(of: Data("\r\n\r\n".utf8)) else {
      throw TestFailure(description: "no HTTP answer: \(answer.count) bytes")
    }
    let text = String(decoding: answer[..<end.lowerBound], as: UTF8.self)
    let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return HTTPAnswer(status: status, head: text, body: Data(answer[end.upperBound...]))
  }
}
