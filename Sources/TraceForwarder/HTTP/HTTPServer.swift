import CLinux
import Glibc
import System

/// A small HTTP/1.1 server: any number of listeners and connections on one thread, each request answered by its
/// listener's handler before the next is read.
final class HTTPServer {
  typealias Handler = (HTTPRequest) -> HTTPResponse

  private let loop: EventLoop
  private let limits: HTTPLimits
  private let metrics: Metrics
  private let log: ForwarderLog
  private var listeners: [Int32: HTTPListener] = [:]
  fileprivate var connections: [Int32: HTTPConnection] = [:]
  /// Bytes that the connections keep of requests that are not whole.
  fileprivate var bufferedBytes = 0

  init(loop: EventLoop, limits: HTTPLimits = HTTPLimits(), metrics: Metrics, log: ForwarderLog) {
    self.loop = loop
    self.limits = limits
    self.metrics = metrics
    self.log = log
  }

  func listen(_ file: consuming FileDescriptor, _ handler: @escaping Handler) {
    let listener = HTTPListener(file, self, handler)
    do throws(SystemCallError) {
      try loop.add(listener.number, .read, listener)
      listeners[listener.number] = listener
    } catch {
      log.error("a socket cannot be watched", ["error": error.description])
    }
  }

  func stopListening() {
    for number in listeners.keys { loop.remove(number) }
    listeners.removeAll()
  }

  /// Whether some request is being read or answered.
  var isBusy: Bool { connections.values.contains { $0.isBusy } }

  fileprivate func accept(_ listener: HTTPListener) {
    for _ in 0..<64 {
      var cid: UInt32 = 0
      let number = kata_accept(listener.number, &cid)
      guard number >= 0 else { return }
      let file = FileDescriptor(owning: number)
      metrics.add(.connections, "http")
      guard connections.count < limits.connections else {
        metrics.add(.closed, "too_many_http_connections")
        continue
      }
      let connection = HTTPConnection(file, self, listener.handler, limits)
      guard (try? loop.add(number, .read, connection)) != nil else { continue }
      connections[number] = connection
      metrics.change(.connections, "http", by: 1)
    }
  }

  fileprivate func count(_ status: Int) { metrics.add(.requests, String(status)) }
  fileprivate func change(_ connection: HTTPConnection, _ events: EventLoop.Events) {
    loop.change(connection.number, events)
  }

  fileprivate func forget(_ connection: HTTPConnection) {
    guard connections.removeValue(forKey: connection.number) != nil else { return }
    loop.remove(connection.number)
    bufferedBytes -= connection.parserSize
    metrics.change(.connections, "http", by: -1)
  }
}

private final class HTTPListener: EventHandler, IdleHandler {
  private let file: FileDescriptor
  let number: Int32
  let handler: HTTPServer.Handler
  private unowned let server: HTTPServer

  init(_ file: consuming FileDescriptor, _ server: HTTPServer, _ handler: @escaping HTTPServer.Handler) {
    number = file.number
    self.file = file
    self.server = server
    self.handler = handler
  }

  func ready(_ events: EventLoop.Events) { server.accept(self) }
  func tick(_ now: Int) {}
}

private final class HTTPConnection: EventHandler {
  private let file: FileDescriptor
  let number: Int32
  private let handler: HTTPServer.Handler
  private let limits: HTTPLimits
  private unowned let server: HTTPServer
  private var parser: HTTPRequestParser
  private var output: [UInt8] = []
  private var written = 0
  private var closesAfter = false
  /// Milliseconds of the monotonic clock until which it waits for the client's end, all being said.
  private var lingersUntil: Int?
  private static let lingerTime = 2000
  /// Bytes of answers that wait, before the next request is looked at.
  private static let mostOutput = 8 << 20
  private var requestStart = MonotonicClock.milliseconds
  private var lastActivity = MonotonicClock.milliseconds

  init(
    _ file: consuming FileDescriptor, _ server: HTTPServer, _ handler: @escaping HTTPServer.Handler,
    _ limits: HTTPLimits
  ) {
    number = file.number
    self.file = file
    self.server = server
    self.handler = handler
    self.limits = limits
    parser = HTTPRequestParser(limits: limits)
  }

  /// What of it counts in the server's buffered bytes.
  fileprivate private(set) var parserSize = 0

  var isBusy: Bool { lingersUntil == nil && parser.isInRequest || written < output.count }

  func ready(_ events: EventLoop.Events) {
    if lingersUntil != nil { return linger() }
    if written < output.count {
      guard write(), written == output.count, lingersUntil == nil else { return }
      // Requests that came together with the one whose answer took so long.
      answer()
      account()
      return
    }
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let wasInRequest = parser.isInRequest
    let got = chunk.withUnsafeMutableBytes { Glibc.read(number, $0.baseAddress, $0.count) }
    if got < 0, errno == EAGAIN || errno == EINTR { return }
    guard got > 0 else { return server.forget(self) }
    lastActivity = MonotonicClock.milliseconds
    if !wasInRequest { requestStart = lastActivity }
    chunk.withUnsafeBytes { parser.append(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
    answer()
    account()
  }

  /// Refuses the request when all requests that are not whole take too much together.
  private func account() {
    guard server.connections[number] === self else { return }
    server.bufferedBytes += parser.size - parserSize
    parserSize = parser.size
    guard server.bufferedBytes > limits.bufferedBytes, parser.isInRequest, !closesAfter else { return }
    put(
      HTTPResponse(503, text: "too much is being received at once", retryAfter: 1), keepsAlive: false,
      isHead: false)
    _ = write()
  }

  private func answer() {
    while !closesAfter {
      switch parser.next() {
      case .needsMore(let expectsContinue):
        if expectsContinue { output += Array("HTTP/1.1 100 Continue\r\n\r\n".utf8) }
        _ = write()
        return
      case .request(let request):
        put(handler(request), keepsAlive: request.keepsAlive, isHead: request.method == "HEAD")
      case .failed(let response): put(response, keepsAlive: false, isHead: false)
      }
      if output.count - written > Self.mostOutput { break }
    }
    _ = write()
  }

  private func put(_ response: HTTPResponse, keepsAlive: Bool, isHead: Bool) {
    server.count(response.status)
    var head = "HTTP/1.1 \(response.status) \(HTTPResponse.reasons[response.status] ?? "")\r\n"
    if response.status != 204 {
      if !response.body.isEmpty { head += "Content-Type: \(response.type)\r\n" }
      head += "Content-Length: \(response.body.count)\r\n"
    }
    for (name, value) in response.headers { head += "\(name): \(value)\r\n" }
    if !keepsAlive {
      head += "Connection: close\r\n"
      closesAfter = true
    }
    output += Array((head + "\r\n").utf8)
    if !isHead { output += response.body }
  }

  /// Writes what can be; false when the connection was closed.
  private func write() -> Bool {
    while written < output.count {
      let done = output.withUnsafeBytes { bytes in
        bytes.baseAddress.map { send(number, $0 + written, bytes.count - written, Int32(MSG_NOSIGNAL)) } ?? 0
      }
      if done < 0 {
        if errno == EINTR { continue }
        if errno == EAGAIN {
          server.change(self, .write)
          return true
        }
        server.forget(self)
        return false
      }
      written += done
      lastActivity = MonotonicClock.milliseconds
    }
    output.removeAll(keepingCapacity: output.capacity < 1 << 20)
    written = 0
    if closesAfter {
      // Closed at once, what the client still sends would reset the connection, and the answer with it.
      shutdown(number, Int32(SHUT_WR))
      lingersUntil = MonotonicClock.milliseconds + Self.lingerTime
    }
    server.change(self, .read)
    return true
  }

  /// Passes over what the client still sends, until it has closed its side.
  private func linger() {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let got = chunk.withUnsafeMutableBytes { Glibc.read(number, $0.baseAddress, $0.count) }
    if got > 0 || got < 0 && (errno == EAGAIN || errno == EINTR) { return }
    server.forget(self)
  }

  func tick(_ now: Int) {
    if let lingersUntil {
      if now >= lingersUntil { server.forget(self) }
      return
    }
    if parser.isInRequest, now - requestStart > limits.requestTimeout {
      put(HTTPResponse(408, text: "the request took too long"), keepsAlive: false, isHead: false)
      if write() { server.forget(self) }
    } else if now - lastActivity > limits.idleTimeout {
      server.forget(self)
    }
  }
}
