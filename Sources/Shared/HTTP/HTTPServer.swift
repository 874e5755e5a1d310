import Glibc
import Logging
import System

/// Counts what happens in an ``HTTPServer``.
package protocol HTTPServerMetrics {
  /// A connection was accepted.
  func countConnection()
  /// A connection was refused or ended early; the reason is a label value.
  func countClosed(_ reason: String)
  func changeOpenConnections(by count: Int)
  /// A request was answered.
  func countRequest(status: Int)
}

/// A small HTTP/1.1 server: any number of listeners and connections on one thread, each request answered by its
/// listener's handler before the next is read.
package final class HTTPServer {
  /// Answers a request, on the loop's thread.
  package typealias Handler = (HTTPRequest) -> HTTPResponse

  private let loop: EventLoop
  let limits: HTTPLimits
  private let hosts: HostPolicy
  private let metrics: any HTTPServerMetrics
  private let log: StructuredLog
  private var listeners: [HTTPListener] = []
  private(set) var connections: [ObjectIdentifier: HTTPConnection] = [:]
  /// Bytes that the connections keep of incomplete requests.
  var bufferedBytes = 0
  /// Bytes of answers that clients have not read.
  var unreadBytes = 0
  /// Increases whenever data moves on a connection.
  private var activity: UInt64 = 0

  /// Milliseconds that a client has to read something before it may count as slow, which matters only while its answer
  /// keeps others from being made.
  static let slowAfter = 2000
  /// Unsent bytes of answers beyond which the next request of a connection is not processed.
  package static let mostOutput = 64 << 10
  /// Bytes a second below which a client counts as slow.
  private static let slowRate = 256 << 10

  /// - Parameters:
  ///   - loop: waits for the sockets; the server belongs to its thread.
  ///   - hosts: which hosts requests may name where a listener is bound to a loopback address.
  package init(
    loop: EventLoop, limits: HTTPLimits = HTTPLimits(), hosts: HostPolicy = HostPolicy([]),
    metrics: any HTTPServerMetrics,
    log: StructuredLog
  ) {
    self.loop = loop
    self.limits = limits
    self.hosts = hosts
    self.metrics = metrics
    self.log = log
  }

  /// Answers requests that come through a listening socket by `handler`.
  package func listen(_ file: consuming FileDescriptor, in budget: HTTPBudget, _ handler: @escaping Handler) {
    let reach = SocketReach.bound(file)
    let listener = HTTPListener(
      file, self, budget, hosts: reach == .loopback ? hosts : nil, handler: handler)
    do throws(SystemCallError) {
      try loop.add(listener, .read)
      listeners.append(listener)
    } catch {
      log.error("a socket cannot be watched", ["error": error.description])
    }
  }

  /// Accepts no more connections; those that are open stay.
  package func stopListening() {
    for listener in listeners { loop.remove(listener) }
    listeners.removeAll()
  }

  /// Whether some request is being read or answered.
  package var isBusy: Bool { connections.values.contains { $0.isBusy } }

  // MARK: Connections

  fileprivate func accept(_ listener: HTTPListener) {
    for _ in 0..<64 {
      switch ListeningSocket.accept(listener.file) {
      case .connection(let file, _): admit(file, listener)
      case .retry: continue
      case .nothing: return
      case .noDescriptor(let code):
        guard ListeningSocket.hasConnection(listener.file) else { return }
        log.limited(
          .error, by: "http accept", "the process has too many open files",
          [
            "error": SystemCallError("accept", "http", code: code).reason,
            "remedy": "raise LimitNOFILE= or ulimit -n",
          ])
        guard acceptWithSpare(listener) else {
          // Until the next tick: the loop would report the same connection over and over.
          listener.pause()
          return
        }
      }
    }
  }

  /// Accepts a connection with the spare descriptor, which another connection may first have to release.
  private func acceptWithSpare(_ listener: HTTPListener) -> Bool {
    let budget = listener.budget
    guard budget.hasSpare || evict(from: budget) else { return false }
    switch ListeningSocket.accept(listener.file, after: { budget.releaseSpare() }) {
    case .connection(let file, _):
      admit(file, listener)
      return true
    default: return false
    }
  }

  private func admit(_ file: consuming FileDescriptor, _ listener: HTTPListener) {
    metrics.countConnection()
    let budget = listener.budget
    guard budget.count < limits.connections || evict(from: budget) else {
      metrics.countClosed("too_many_http_connections")
      return
    }
    let connection = HTTPConnection(file, self, listener)
    guard (try? loop.add(connection, .read)) != nil else { return }
    connections[ObjectIdentifier(connection)] = connection
    budget.count += 1
    metrics.changeOpenConnections(by: 1)
  }

  /// Ends the least valuable connection of a full budget: one that is only waiting to be closed, then the one that has
  /// been idle longest, then the one whose request or reading has been stalled longest. Complete requests are read
  /// first.
  private func evict(from budget: HTTPBudget) -> Bool {
    // Each is read at most once: a client must not keep its connection by always sending something.
    var looked = 0
    while true {
      let candidates = connections.values.filter { $0.listener.budget === budget }
      guard let victim = candidates.min(by: { $0.standing < $1.standing }) else { return false }
      looked += 1
      guard looked <= min(candidates.count, 256), victim.hasInput else {
        close(victim, victim.standing.use.replacedReason)
        return true
      }
      victim.ready(.read)
      if !has(victim) { return true }
    }
  }

  private func close(_ connection: HTTPConnection, _ reason: String) {
    metrics.countClosed(reason)
    log.limited(
      .warning, by: "http", "an HTTP connection was closed to make room for others", ["reason": reason])
    connection.abandon()
  }

  /// Whether another answer of unknown size may be made: not while ``HTTPLimits/unreadBytes`` are unread. Clients that
  /// read slowly, or not at all, then lose theirs.
  package func hasRoomForAnswer() -> Bool {
    while unreadBytes >= limits.unreadBytes {
      let now = MonotonicClock.milliseconds
      let slow = connections.values.filter { $0.unread > 0 && now - $0.answerStart >= Self.slowAfter }
        .min { $0.readingRate(now) < $1.readingRate(now) }
      guard let slow, slow.readingRate(now) < Self.slowRate else { return false }
      close(slow, "slow_reader")
    }
    return true
  }

  func nextActivity() -> UInt64 {
    activity += 1
    return activity
  }

  func count(_ status: Int) { metrics.countRequest(status: status) }

  func refused(_ host: String) {
    log.limited(
      .warning, by: "http host", "a request was refused: it names another host",
      ["host": String(host.prefix(256)), "remedy": "allow the name with --allowed-host"])
  }

  func change(_ connection: HTTPConnection, _ events: EventLoop.Events) {
    loop.change(connection, events)
  }

  /// Whether the connection is still one of the server's.
  func has(_ connection: HTTPConnection) -> Bool { connections[ObjectIdentifier(connection)] != nil }

  func forget(_ connection: HTTPConnection) {
    guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
    loop.remove(connection)
    bufferedBytes -= connection.parserSize
    unreadBytes -= connection.unread
    let budget = connection.listener.budget
    budget.count -= 1
    budget.keep(connection.takeFile())
    metrics.changeOpenConnections(by: -1)
  }

  fileprivate func resume(_ listener: HTTPListener) -> Bool { loop.resume(listener, .read) }
  fileprivate func suspend(_ listener: HTTPListener) { loop.suspend(listener) }
}

/// A budget shared by the connections of some listeners: how many there may be, and a spare descriptor for when the
/// process has no other left.
package final class HTTPBudget {
  fileprivate(set) var count = 0
  private var base: FileDescriptor?
  private var spare: FileDescriptor?

  package init() {
    base = try? FileDescriptor.open("/dev/null", O_RDONLY)
    spare = try? FileDescriptor.open("/dev/null", O_RDONLY)
  }

  fileprivate var hasSpare: Bool { spare != nil }

  /// Frees the descriptor that was kept.
  fileprivate func releaseSpare() { spare = nil }

  /// Keeps one again, after it was lost to another thread.
  fileprivate func refill() {
    if spare == nil, count == 0 { spare = try? FileDescriptor.open("/dev/null", O_RDONLY) }
  }

  /// Takes the descriptor of a connection that has ended, if none is kept, without a moment in which another thread
  /// could have it.
  fileprivate func keep(_ file: consuming FileDescriptor) {
    guard spare == nil, let number = base?.number,
      (try? file.become(FileDescriptor(borrowing: number))) != nil
    else { return }
    spare = consume file
  }
}

/// One listening socket of an ``HTTPServer``.
final class HTTPListener: EventHandler, IdleHandler {
  let file: FileDescriptor
  let budget: HTTPBudget
  /// Nil when requests may name any host.
  let hosts: HostPolicy?
  let handler: HTTPServer.Handler
  private unowned let server: HTTPServer
  private var isPaused = false

  fileprivate init(
    _ file: consuming FileDescriptor, _ server: HTTPServer, _ budget: HTTPBudget, hosts: HostPolicy?,
    handler: @escaping HTTPServer.Handler
  ) {
    self.file = file
    self.server = server
    self.budget = budget
    self.hosts = hosts
    self.handler = handler
  }

  func ready(_ events: EventLoop.Events) { server.accept(self) }

  fileprivate func pause() {
    guard !isPaused else { return }
    server.suspend(self)
    isPaused = true
  }

  func tick(_ now: Int) {
    budget.refill()
    if isPaused { isPaused = !server.resume(self) }
  }
}
