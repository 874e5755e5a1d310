import System
import Testing

@testable import HTTP

/// The client against sockets of this process. libcurl is loaded; without it there is nothing to test.
@Suite(.enabled(if: DynamicLibrary("libcurl.so.4", "libcurl-gnutls.so.4") != nil, "libcurl is not installed"))
struct HTTPClientTests {
  private func client(_ port: UInt16, _ change: (inout HTTPClient.Options) -> Void = { _ in }) throws
    -> HTTPClient
  {
    var options = HTTPClient.Options(url: "http://127.0.0.1:\(port)/path")
    change(&options)
    return try HTTPClient(options, userAgent: "the-agent", deadline: StopDeadline())
  }

  private static func text(_ request: HTTPRequest) -> String {
    let fields = request.headers.filter { !["host", "accept"].contains($0.name) }.map {
      "\($0.name)=\($0.value)"
    }
    return
      "\(request.method) \(request.path) \(fields.sorted()) \(String(decoding: request.body, as: UTF8.self))"
  }

  @Test func requestArrivesAsItWasMade() throws {
    let server = try LoopServer { HTTPResponse(200, text: Self.text($0)) }
    let client = try client(server.port) { options in
      options.headers = [("X-One", "1"), ("X-Two", "a b")]
      options.credentials = "name:password"
    }
    let answer = try client.post(Array("the body".utf8), type: "text/x")
    #expect(answer.status == 200)
    #expect(
      String(decoding: answer.body, as: UTF8.self)
        == "POST /path [\"authorization=Basic bmFtZTpwYXNzd29yZA==\", \"content-length=8\", \"content-type=text/x\", \"user-agent=the-agent\", \"x-one=1\", \"x-two=a b\"] the body\n"
    )
  }

  @Test func oneConnectionServesSeveralRequests() throws {
    let server = try LoopServer { HTTPResponse(200, text: String(decoding: $0.body, as: UTF8.self)) }
    let client = try client(server.port)
    for size in [1, 0, 100_000, 3, 1_000_000] {
      let answer = try client.post([UInt8](repeating: UInt8(ascii: "x"), count: size), type: "text/plain")
      #expect(answer.status == 200)
      #expect(answer.body.count == min(64 << 10, size + 1))
    }
    #expect(server.counts.current.connections == 1)
    #expect(server.counts.current.statuses == [200, 200, 200, 200, 200])
  }

  @Test(arguments: [
    (204, nil, nil), (400, nil, nil), (503, "7", 7), (429, "100000", 3600), (503, "x", nil),
  ])
  func statusAndPauseAreReported(_ status: Int, _ field: String?, _ pause: Int?) throws {
    let server = try LoopServer { _ in
      HTTPResponse(status, headers: field.map { [(name: "Retry-After", value: $0)] } ?? [])
    }
    let answer = try client(server.port).post([1], type: "text/plain")
    #expect(answer.status == status)
    #expect(answer.retryAfter == pause)
    #expect(answer.location == nil)
  }

  @Test func redirectIsReportedAndNotFollowed() throws {
    let server = try LoopServer { request in
      request.path == "/path"
        ? HTTPResponse(302, headers: [(name: "Location", value: "/other")]) : HTTPResponse(200)
    }
    let answer = try client(server.port).post([1], type: "text/plain")
    #expect(answer.status == 302)
    #expect(answer.location == "http://127.0.0.1:\(server.port)/other")
    #expect(server.counts.current.statuses == [302])
  }

  /// Nobody may take an answer that is cut off for one: the spans would be taken as delivered.
  @Test(arguments: [
    "", "H", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
    "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
  ])
  func answerThatIsCutOffIsAFailure(_ answer: String) throws {
    let server = try CannedServer(answer)
    defer { server.join() }
    let client = try client(server.port)
    let failure = #expect(throws: HTTPClient.Failure.self) {
      _ = try client.post(Array("the body".utf8), type: "text/plain")
    }
    #expect(failure?.reason.isEmpty == false)
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
    ("HTTP/1.0 503 Busy\r\n\r\nuntil the end", 503, "until the end"),
    ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202, ""),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nTrailer: x\r\n\r\n", 200, "ok"),
  ])
  func wholeAnswerIsTaken(_ text: String, _ status: Int, _ body: String) throws {
    let server = try CannedServer(text)
    defer { server.join() }
    let answer = try client(server.port).post(Array("the body".utf8), type: "text/plain")
    #expect(answer.status == status)
    #expect(String(decoding: answer.body, as: UTF8.self) == body)
  }

  @Test func portWithoutListenerIsAConnectionFailure() throws {
    let port: UInt16
    do { port = try LocalPort.of(ListeningSocket.tcp(SocketAddress(host: "127.0.0.1", port: 0))) }
    let client = try client(port)
    let failure = #expect(throws: HTTPClient.Failure.self) { _ = try client.post([1], type: "text/plain") }
    #expect(failure?.kind == .connection)
  }

  @Test func requestIsAbortedAtTheDeadline() throws {
    // Nobody accepts: the kernel does, and no answer ever comes.
    let listener = try ListeningSocket.tcp(SocketAddress(host: "127.0.0.1", port: 0))
    let deadline = StopDeadline()
    deadline.set(MonotonicClock.milliseconds)
    var options = HTTPClient.Options(url: "http://127.0.0.1:\(try LocalPort.of(listener))/")
    options.timeout = 3_600_000
    let client = try HTTPClient(options, userAgent: "test", deadline: deadline)
    let failure = #expect(throws: HTTPClient.Failure.self) { _ = try client.post([1], type: "text/plain") }
    #expect(failure?.reason == "the shutdown deadline passed")
    #expect(listener.number >= 0)
  }
}
