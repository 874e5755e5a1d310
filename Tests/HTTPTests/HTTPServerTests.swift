import Glibc
import System
import TestSupport
import Testing

@testable import HTTP

/// Which connections a server closes when they are too many, or when answers are not read.
@Suite(.ownThreads) struct HTTPServerTests {
  /// A client that says and reads exactly what a test wants.
  private struct Client: ~Copyable {
    let file: FileDescriptor

    init(_ port: UInt16) throws {
      let (family, bytes) = try SocketAddress(host: "127.0.0.1", port: port).resolve()
      let number = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      try #require(number >= 0)
      let file = FileDescriptor(owning: number)
      let code = bytes.withUnsafeBytes { address in
        address.baseAddress.map {
          connect(number, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
        } ?? -1
      }
      try #require(code == 0)
      self.file = file
    }

    func send(_ text: String) throws { try file.writeAll(Array(text.utf8), subject: "test") }

    func ask() throws { try send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }

    /// The status of an answer without a body, or with one that comes in one piece; nil if the server closed the connection.
    func status() throws -> Int? {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = try file.read(into: &buffer, count: buffer.count, subject: "test")
      guard count > 0 else { return nil }
      return Int(String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")[1])
    }

    /// Whether the server has closed the connection; waits until it has answered or closed.
    func isClosed() throws -> Bool { try status() == nil }
  }

  private func wait(_ what: String, until condition: () throws -> Bool) throws {
    for _ in 0..<6000 {
      if try condition() { return }
      usleep(10_000)
    }
    Issue.record("\(what): this did not happen within a minute")
  }

  private func limits(connections: Int) -> HTTPLimits {
    var limits = HTTPLimits()
    limits.connections = connections
    return limits
  }

  @Test func idleConnectionMakesRoomForANewOne() throws {
    let server = try LoopServer(limits: limits(connections: 2)) { _ in HTTPResponse(204) }
    let first = try Client(server.port)
    try first.ask()
    #expect(try first.status() == 204)
    let second = try Client(server.port)
    try second.ask()
    #expect(try second.status() == 204)
    let third = try Client(server.port)
    try third.ask()
    #expect(try third.status() == 204)
    #expect(server.counts.current.closed == ["replaced_idle"])
    #expect(try first.isClosed())
    try second.ask()
    #expect(try second.status() == 204)
  }

  @Test func connectionThatStandsStillLongestInARequestIsReplaced() throws {
    let server = try LoopServer(limits: limits(connections: 2)) { _ in HTTPResponse(204) }
    let first = try Client(server.port)
    try first.send("POST / HTTP/1.1\r\n")
    try wait("the first is accepted") { server.counts.current.open == 1 }
    let second = try Client(server.port)
    try second.send("POST / HTTP/1.1\r\n")
    try wait("the second is accepted") { server.counts.current.open == 2 }
    let third = try Client(server.port)
    try third.ask()
    #expect(try third.status() == 204)
    #expect(server.counts.current.closed == ["replaced_request"])
    #expect(try first.status() == 503)
  }

  /// Nothing that a client has sent whole is left unanswered to make room.
  @Test func completeRequestIsAnsweredBeforeItsConnectionIsReplaced() throws {
    let server = try LoopServer(limits: limits(connections: 1)) { _ in HTTPResponse(204) }
    for _ in 0..<20 {
      let client = try Client(server.port)
      try client.ask()
      #expect(try client.status() == 204)
    }
    #expect(server.counts.current.statuses == Array(repeating: 204, count: 20))
  }

  @Test func slowReaderLosesItsAnswerWhenAnotherIsAskedFor() throws {
    var limits = HTTPLimits()
    limits.unreadBytes = 1 << 20
    let large = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 20)
    let server = try LoopServer(limits: limits, checksRoom: true) { request in
      request.path == "/large" ? HTTPResponse(200, large) : HTTPResponse(204)
    }
    let slow = try Client(server.port)
    try slow.send("GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    try wait("the large answer is made") { server.counts.current.statuses == [200] }
    let other = try Client(server.port)
    try other.ask()
    // The first client still has time to read.
    #expect(try other.status() == 503)
    #expect(server.counts.current.closed.isEmpty)
    try wait("the slow reader is given up") {
      try other.ask()
      return try other.status() == 204
    }
    #expect(server.counts.current.closed == ["slow_reader"])
    #expect(server.counts.current.open == 1)
    _ = slow
  }

  @Test func requestThatTakesTooLongIsRefused() throws {
    var limits = HTTPLimits()
    limits.requestTimeout = 50
    let server = try LoopServer(limits: limits) { _ in HTTPResponse(204) }
    let client = try Client(server.port)
    try client.send("POST / HTTP/1.1\r\n")
    #expect(try client.status() == 408)
    #expect(try client.isClosed())
  }

  @Test func idleConnectionIsClosedInTheEnd() throws {
    var limits = HTTPLimits()
    limits.idleTimeout = 50
    let server = try LoopServer(limits: limits) { _ in HTTPResponse(204) }
    let client = try Client(server.port)
    #expect(try client.isClosed())
    #expect(server.counts.current.statuses.isEmpty)
  }
}
