import Glibc
import Synchronization
import System

@testable import HTTP

/// An ``HTTPServer`` on a loop and a thread of its own, at a port of the loopback address, and what it counted.
final class LoopServer {
  final class Counts: HTTPServerMetrics, Sendable {
    struct Values {
      var connections = 0
      var open = 0
      var closed: [String] = []
      var statuses: [Int] = []
    }

    private let values = Mutex(Values())
    var current: Values { values.withLock { $0 } }
    func countConnection() { values.withLock { $0.connections += 1 } }
    func countClosed(_ reason: String) { values.withLock { $0.closed.append(reason) } }
    func changeOpenConnections(by count: Int) { values.withLock { $0.open += count } }
    func countRequest(status: Int) { values.withLock { $0.statuses.append(status) } }
  }

  let port: UInt16
  let counts = Counts()
  private let stop: Wakeup
  private let thread: WorkerThread

  /// - Parameter checksRoom: whether a request is refused while the server has no room for another answer, as queries are.
  init(
    limits: HTTPLimits = HTTPLimits(), checksRoom: Bool = false,
    _ handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse
  ) throws {
    let listener = try ListeningSocket.tcp(SocketAddress(host: "127.0.0.1", port: 0))
    port = try LocalPort.of(listener)
    let (stop, counts, number) = (try Wakeup(), counts, listener.release())
    self.stop = stop
    let thread = WorkerThread.start {
      guard let loop = try? EventLoop() else { return }
      let server = HTTPServer(loop: loop, limits: limits, metrics: counts, log: .silent)
      server.listen(FileDescriptor(owning: number), in: HTTPBudget()) { [unowned server] request in
        checksRoom && !server.hasRoomForAnswer() ? HTTPResponse(503) : handler(request)
      }
      let stopper = StopHandler(loop, stop)
      try? loop.add(stopper, .read)
      withExtendedLifetime(server) { loop.run() }
    }
    guard let thread else { throw SystemCallError("pthread_create", "test", code: EAGAIN) }
    self.thread = thread
  }

  deinit {
    stop.raise()
    thread.join()
  }

  private final class StopHandler: EventHandler {
    let file: FileDescriptor
    private let loop: EventLoop
    init(_ loop: EventLoop, _ stop: Wakeup) {
      file = FileDescriptor(borrowing: stop.file.number)
      self.loop = loop
    }
    func ready(_ events: EventLoop.Events) { loop.stop() }
    func tick(_ now: Int) {}
  }
}

/// A listener that answers each connection by the same bytes and then closes it, whatever is asked.
final class CannedServer {
  let port: UInt16
  private let thread: WorkerThread
  private let received = Mutex<[UInt8]>([])

  /// Serves one connection.
  init(_ answer: String) throws {
    let listener = try ListeningSocket.tcp(SocketAddress(host: "127.0.0.1", port: 0))
    port = try LocalPort.of(listener)
    let number = listener.release()
    let thread = WorkerThread.start {
      let listener = FileDescriptor(owning: number)
      var entry = pollfd(fd: listener.number, events: Int16(POLLIN), revents: 0)
      _ = poll(&entry, 1, -1)
      guard case .connection(let connection, _) = ListeningSocket.accept(listener) else { return }
      // The request has come when its body, which ends so, has.
      var request: [UInt8] = []
      while !request.reversed().starts(with: "ydob".utf8) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var entry = pollfd(fd: connection.number, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, -1)
        guard case .bytes(let count) = StreamSocket.receive(connection, into: &buffer) else { break }
        request += buffer[..<count]
      }
      try? connection.writeAll(Array(answer.utf8), subject: "test")
    }
    guard let thread else { throw SystemCallError("pthread_create", "test", code: EAGAIN) }
    self.thread = thread
  }

  /// Waits until the connection is closed.
  func join() { thread.join() }
}

enum LocalPort {
  /// The port that a socket of IPv4 is bound to.
  static func of(_ file: borrowing FileDescriptor) throws -> UInt16 {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(file.number, $0, &length) }
    }
    guard code == 0 else { throw SystemCallError("getsockname", "test") }
    return UInt16(bigEndian: address.sin_port)
  }
}
