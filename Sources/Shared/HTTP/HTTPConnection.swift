import System

/// One connection of an ``HTTPServer``.
final class HTTPConnection: EventHandler {
  private(set) var file: FileDescriptor
  let listener: HTTPListener
  private unowned let server: HTTPServer
  private let isLocal: Bool
  private var parser: HTTPRequestParser
  /// Unsent answers, in pieces that are sent one after another.
  private var output: [[UInt8]] = []
  /// Sent bytes of the first piece.
  private var written = 0
  /// Bytes of answers that wait.
  private(set) var unread = 0
  /// When the oldest waiting answer was made, and bytes sent since.
  private(set) var answerStart = 0
  private var answerBytes = 0
  private var closesAfter = false
  /// The time, in milliseconds of the monotonic clock, until which it waits for the client to close after the last
  /// answer.
  private var lingersUntil: Int?
  private static let lingerTime = 2000
  private var requestStart = MonotonicClock.milliseconds
  private var lastActivity = MonotonicClock.milliseconds {
    didSet { activity = server.nextActivity() }
  }
  /// The last activity's place among those of all connections.
  private var activity: UInt64

  init(_ file: consuming FileDescriptor, _ server: HTTPServer, _ listener: HTTPListener) {
    isLocal = SocketReach.peer(file) != .network
    self.file = file
    self.server = server
    self.listener = listener
    activity = server.nextActivity()
    parser = HTTPRequestParser(limits: server.limits)
  }

  /// How much of it counts towards the server's buffered bytes.
  private(set) var parserSize = 0

  var isBusy: Bool { lingersUntil == nil && parser.isInRequest || unread > 0 }

  /// The use of a connection; those whose loss matters least come first.
  enum Use: Int {
    case closing, idle, request, answer

    /// Why a connection in this use was closed to make room for another; a value of the metric's label.
    var replacedReason: String {
      switch self {
      case .closing: "replaced_closing"
      case .idle: "replaced_idle"
      case .request: "replaced_request"
      case .answer: "replaced_answer"
      }
    }
  }

  /// The priority of the connection within a full budget: its use, and when data last moved.
  struct Standing: Comparable {
    var use: Use
    var activity: UInt64
    static func < (a: Standing, b: Standing) -> Bool {
      (a.use.rawValue, a.activity) < (b.use.rawValue, b.activity)
    }
  }

  var standing: Standing {
    let use: Use =
      lingersUntil != nil ? .closing : unread > 0 ? .answer : parser.isInRequest ? .request : .idle
    return Standing(use: use, activity: activity)
  }

  /// Whether the client has sent something, or its end, that would be read.
  var hasInput: Bool {
    guard lingersUntil == nil, unread == 0 else { return false }
    return StreamSocket.hasInput(file)
  }

  /// Bytes per second of the waiting answers; 0 if nothing has moved for a while, because the kernel takes the first
  /// megabytes whether the client reads or not.
  func readingRate(_ now: Int) -> Int {
    now - lastActivity >= HTTPServer.slowAfter ? 0 : answerBytes / max(1, (now - answerStart) / 1000)
  }

  /// Hands over the descriptor of an ended connection.
  func takeFile() -> FileDescriptor { file.take() }

  /// Ends the connection early, with an answer if the client waits for one.
  func abandon() {
    if unread == 0, lingersUntil == nil, parser.isInRequest {
      put(
        HTTPResponse(503, text: "too many connections", retryAfter: 1), keepsAlive: false,
        isHead: false)
      guard write() else { return }
    }
    server.forget(self)
  }

  // MARK: Requests

  func ready(_ events: EventLoop.Events) {
    if lingersUntil != nil { return linger() }
    if unread > 0 {
      guard write(), unread == 0, lingersUntil == nil else { return }
      // Requests that arrived together with the one whose answer took long.
      answer()
      account()
      return
    }
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    let wasInRequest = parser.isInRequest
    let received = StreamSocket.receive(file, into: &chunk)
    if received == .notReady { return }
    guard case .bytes(let count) = received else { return server.forget(self) }
    lastActivity = MonotonicClock.milliseconds
    if !wasInRequest { requestStart = lastActivity }
    parser.append(chunk[..<count])
    answer()
    account()
  }

  /// Refuses the request if all incomplete requests together are too large.
  private func account() {
    guard server.has(self) else { return }
    server.bufferedBytes += parser.size - parserSize
    parserSize = parser.size
    guard server.bufferedBytes > server.limits.bufferedBytes, parser.isInRequest, !closesAfter else { return }
    put(
      HTTPResponse(503, text: "too many requests are being received at once", retryAfter: 1),
      keepsAlive: false,
      isHead: false)
    _ = write()
  }

  private func answer() {
    while !closesAfter {
      switch parser.next() {
      case .needsMore(let expectsContinue):
        if expectsContinue { keep(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        _ = write()
        return
      case .request(let request):
        put(response(to: request), keepsAlive: request.keepsAlive, isHead: request.method == "HEAD")
      case .failed(let response): put(response, keepsAlive: false, isHead: false)
      }
      if unread > HTTPServer.mostOutput { break }
    }
    _ = write()
  }

  private func response(to request: HTTPRequest) -> HTTPResponse {
    var request = request
    request.isLocal = isLocal
    if let refusal = listener.hosts?.refusal(of: request) {
      server.refused(refusal.host)
      return refusal.response
    }
    return listener.handler(request)
  }

  // MARK: Answers

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
    let start = Array((head + "\r\n").utf8)
    if isHead || response.body.isEmpty {
      keep(start)
    } else if response.body.count <= HTTPServer.mostOutput {
      keep(start + response.body)
    } else {
      // A large one is not copied.
      keep(start)
      keep(response.body)
    }
  }

  private func keep(_ bytes: [UInt8]) {
    if unread == 0 {
      answerStart = MonotonicClock.milliseconds
      answerBytes = 0
    }
    output.append(bytes)
    unread += bytes.count
    server.unreadBytes += bytes.count
  }

  /// Writes as much as possible; false if the connection was closed.
  private func write() -> Bool {
    while let piece = output.first {
      let sent = StreamSocket.send(file, piece, from: written, isFollowed: output.count > 1)
      if sent == .notReady {
        server.change(self, .write)
        return true
      }
      guard case .bytes(let done) = sent else {
        server.forget(self)
        return false
      }
      written += done
      unread -= done
      answerBytes += done
      server.unreadBytes -= done
      lastActivity = MonotonicClock.milliseconds
      if written == piece.count {
        output.removeFirst()
        written = 0
      }
    }
    if closesAfter {
      // Closed at once, what the client still sends would reset the connection, and the answer with it.
      StreamSocket.endWriting(file)
      lingersUntil = MonotonicClock.milliseconds + Self.lingerTime
    }
    server.change(self, .read)
    return true
  }

  /// Discards what the client still sends, until it has closed its side.
  private func linger() {
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    switch StreamSocket.receive(file, into: &chunk) {
    case .bytes, .notReady: return
    case .ended, .failed: server.forget(self)
    }
  }

  func tick(_ now: Int) {
    if let lingersUntil {
      if now >= lingersUntil { server.forget(self) }
      return
    }
    if parser.isInRequest, unread == 0, now - requestStart > server.limits.requestTimeout {
      put(HTTPResponse(408, text: "the request took too long"), keepsAlive: false, isHead: false)
      if write() { server.forget(self) }
    } else if now - lastActivity > server.limits.idleTimeout {
      server.forget(self)
    }
  }
}
