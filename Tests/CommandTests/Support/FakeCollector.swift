import Foundation

/// A collector that answers as a test wants: accepts, is busy, takes a part, hangs up, is away and comes back.
final class FakeCollector: @unchecked Sendable {
  struct Request {
    var head: String
    var body: Data

    /// A header's value, by its name in lower case.
    func header(_ name: String) -> String? {
      for line in head.components(separatedBy: "\r\n").dropFirst() {
        guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { continue }
        return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      }
      return nil
    }
  }

  struct Response {
    var status = 200
    var headers = ""
    var body = Data("{}".utf8)
  }

  /// What to answer to the request of this number, from 0 on; nil takes it and hangs up.
  typealias Handler = @Sendable (Int, Request) -> Response?

  let port: UInt16
  private let listener: LocalSocket
  private let handler: Handler
  private let lock = NSLock()
  private var requests: [Request] = []
  private var accepted: [OTLPLines.Item] = []
  private var connections: [LocalSocket] = []
  private var isStopped = false
  private let group = DispatchGroup()

  /// - Parameter port: where an earlier one was, to take its place.
  init(port: UInt16 = 0, _ handler: @escaping Handler = { _, _ in Response() }) throws {
    listener = try LocalSocket(listeningOn: port)
    self.port = listener.port
    self.handler = handler
    start { collector in
      while let connection = collector.listener.accept() { collector.serve(connection) }
    }
  }

  deinit { stop() }

  var endpoint: String { "http://127.0.0.1:\(port)" }
  var received: [Request] { lock.withLock { requests } }
  /// The spans of all OTLP JSON requests that were taken.
  var spans: [OTLPLines.Item] { lock.withLock { accepted } }
  var names: [SpanName] { spans.map(\.name) }

  /// Hangs up and is away.
  func stop() {
    let open: [LocalSocket] = lock.withLock {
      isStopped = true
      return connections
    }
    listener.shutDown()
    for connection in open { connection.shutDown() }
    group.wait()
  }

  private func start(_ body: @escaping @Sendable (FakeCollector) -> Void) {
    group.enter()
    let group = group
    Thread.detachNewThread { [weak self] in
      // Its owner waits for this thread before it goes.
      if let unowned = self.map({ Unmanaged.passUnretained($0) }) { unowned._withUnsafeGuaranteedRef(body) }
      group.leave()
    }
  }

  private func serve(_ connection: LocalSocket) {
    let isLate = lock.withLock {
      connections.append(connection)
      return isStopped
    }
    if isLate { return connection.shutDown() }
    start { collector in
      var buffer = Data()
      while let request = Self.read(connection, &buffer), collector.answer(request, connection) {}
      connection.shutDown()
    }
  }

  private func answer(_ request: Request, _ connection: LocalSocket) -> Bool {
    let number = lock.withLock {
      requests.append(request)
      return requests.count - 1
    }
    let response = handler(number, request)
    if response?.status ?? 200 == 200, request.header("content-type") == "application/json" {
      let items = (try? OTLPLines.items(request.body)) ?? []
      lock.withLock { accepted += items }
    }
    guard let response else { return false }
    let isJSON = response.body.first == 0x7b
    let head =
      "HTTP/1.1 \(response.status) X\r\nContent-Length: \(response.body.count)\r\nContent-Type: application/\(isJSON ? "json" : "x-protobuf")\r\n\(response.headers)\r\n"
    return (try? connection.write(Data(head.utf8) + response.body)) != nil
  }

  private static func read(_ connection: LocalSocket, _ buffer: inout Data) -> Request? {
    while true {
      if let end = buffer.range(of: Data("\r\n\r\n".utf8)) {
        var request = Request(
          head: String(decoding: buffer[buffer.startIndex..<end.lowerBound], as: UTF8.self), body: Data())
        let length = Int(request.header("content-length") ?? "0") ?? 0
        if buffer.distance(from: end.upperBound, to: buffer.endIndex) >= length {
          request.body = Data(buffer[end.upperBound..<end.upperBound + length])
          buffer = Data(buffer[(end.upperBound + length)...])
          return request
        }
      }
      guard let piece = try? connection.read(1 << 20), !piece.isEmpty else { return nil }
      buffer += piece
    }
  }
}
