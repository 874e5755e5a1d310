import Testing

@testable import HTTP

struct HTTPRequestParserTests {
  private func limits() -> HTTPLimits {
    var limits = HTTPLimits()
    limits.headerBytes = 256
    limits.bodyBytes = 16
    return limits
  }

  private func first(_ text: String) -> HTTPRequestParser.Progress {
    var parser = HTTPRequestParser(limits: limits())
    parser.append(Array(text.utf8)[...])
    return parser.next()
  }

  private func request(_ text: String) throws -> HTTPRequest {
    guard case .request(let request) = first(text) else { throw NoRequest() }
    return request
  }

  private struct NoRequest: Error {}

  @Test func requestIsTakenApart() throws {
    let request = try request(
      "POST /a%20b/c%2Fd//?x=1&y=a+b%21&x=&z HTTP/1.1\r\nHost: h:1\r\nContent-Type: Text/Plain ;charset=x\r\nContent-Length: 3\r\n\r\nabc"
    )
    #expect(request.method == "POST")
    #expect(request.path == "/a b/c/d//")
    #expect(request.segments == ["a b", "c/d"])
    #expect(request.parameters("x") == ["1", ""])
    #expect(request.parameter("y") == "a b!")
    #expect(request.parameter("z") == "")
    #expect(request.parameter("missing") == nil)
    #expect(request.header("host") == "h:1")
    #expect(request.mediaType == "text/plain")
    #expect(request.body == Array("abc".utf8))
  }

  @Test(arguments: [
    ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
    ("HTTP/1.1", "Connection: Close, x\r\n", false), ("HTTP/1.0", "", false),
    ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
  ])
  func connectionStaysOpenAsTheClientWants(_ version: String, _ field: String, _ keepsAlive: Bool) throws {
    #expect(try request("GET / \(version)\r\n\(field)\r\n").keepsAlive == keepsAlive)
  }

  @Test(arguments: [
    ("GET http://other:80/x?y=1 HTTP/1.1\r\n\r\n", "/x", "other:80"),
    ("GET /x HTTP/1.1\r\n\r\n", "/x", nil), ("OPTIONS * HTTP/1.1\r\n\r\n", "*", nil),
    ("\r\n\r\nGET / HTTP/1.1\r\n\r\n", "/", nil),
  ])
  func targetMayBeAbsolute(_ text: String, _ path: String, _ authority: String?) throws {
    let request = try request(text)
    #expect(request.path == path)
    #expect(request.authority == authority)
  }

  @Test(arguments: [
    ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400), (" / HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/2\r\n\r\n", 400), ("GET / FTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1 x\r\n\r\n", 400),
    ("GET x HTTP/1.1\r\n\r\n", 400), ("GET /% HTTP/1.1\r\n\r\n", 400), ("GET /%ff HTTP/1.1\r\n\r\n", 400),
    ("GET /?a=%2 HTTP/1.1\r\n\r\n", 400), ("GET http://host HTTP/1.1\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400), ("GET / HTTP/1.1\r\n: x\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nA : x\r\n\r\n", 400), ("GET / HTTP/1.1\r\nA: x\r\n folded\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nA: \u{1}\r\n\r\n", 400), ("GET / HTTP/1.1\r\nA: x\ny\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nContent-Length: 17\r\n\r\n", 413),
    ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n", 413),
    ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
    ("GET /\(String(repeating: "x", count: 300)) HTTP/1.1\r\n\r\n", 431),
    ("GET / HTTP/1.1\r\nA: \(String(repeating: "x", count: 300))", 431),
  ])
  func badRequestIsRefused(_ text: String, _ status: Int) {
    guard case .failed(let response) = first(text) else {
      Issue.record("it was not refused")
      return
    }
    #expect(response.status == status)
    #expect(!response.body.isEmpty)
  }

  @Test(arguments: [
    "", "G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\n\r", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
  ])
  func incompleteRequestIsWaitedFor(_ text: String) {
    guard case .needsMore(expectsContinue: false) = first(text) else {
      Issue.record("it was not waited for")
      return
    }
  }

  @Test func clientThatWaitsIsToldToContinueOnce() {
    var parser = HTTPRequestParser(limits: limits())
    parser.append(Array("POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n".utf8)[...])
    guard case .needsMore(expectsContinue: true) = parser.next(),
      case .needsMore(expectsContinue: false) = parser.next()
    else {
      Issue.record("it was not told once")
      return
    }
    #expect(parser.isInRequest)
    parser.append([1, 2])
    guard case .request(let request) = parser.next() else {
      Issue.record("there is no request")
      return
    }
    #expect(request.body == [1, 2])
    #expect(!parser.isInRequest)
  }

  @Test func requestsThatCameTogetherAreTakenOneAfterTheOther() {
    var parser = HTTPRequestParser(limits: limits())
    parser.append(Array("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET".utf8)[...])
    var paths: [String] = []
    while case .request(let request) = parser.next() { paths.append(request.path) }
    #expect(paths == ["/1", "/2"])
    #expect(parser.isInRequest)
  }
}

struct ChunkedBodyTests {
  /// The body, and how the coding ended; fed in pieces of `size` bytes.
  private func decoded(_ text: String, piece size: Int, limit: Int = 100) -> (body: String, end: String) {
    var (chunks, body, rest) = (ChunkedBody(), [UInt8](), [UInt8]())
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      rest += bytes[start..<min(bytes.count, start + size)]
      switch chunks.take(rest[...], limit: limit, into: &body) {
      case .needsMore(let taken): rest.removeFirst(taken)
      case .complete: return (String(decoding: body, as: UTF8.self), "complete")
      case .tooLarge: return (String(decoding: body, as: UTF8.self), "too large")
      case .malformed: return (String(decoding: body, as: UTF8.self), "malformed")
      }
    }
    return (String(decoding: body, as: UTF8.self), "needs more")
  }

  @Test(arguments: [
    ("0\r\n\r\n", "", "complete"), ("3\r\nabc\r\n0\r\n\r\n", "abc", "complete"),
    ("3;name=value\r\nabc\r\nA\r\n0123456789\r\n00\r\nTrailer: x\r\n\r\n", "abc0123456789", "complete"),
    ("3\nabc\r\n0\n\n", "abc", "complete"), ("3\r\nab", "ab", "needs more"),
    ("3\r\nabc\r", "abc", "needs more"),
    ("3\r\nabcdef", "abc", "malformed"), ("3\r\nabcd", "abc", "needs more"), ("\r\n", "", "malformed"),
    ("g\r\n", "", "malformed"),
    ("-1\r\n", "", "malformed"), ("000000001\r\n", "", "malformed"), ("65\r\n", "", "too large"),
    ("ffffffff\r\n", "", "too large"),
  ])
  func codingIsTakenAwayHoweverItArrives(_ text: String, _ body: String, _ end: String) {
    for size in [1, 2, 3, 7, text.utf8.count] {
      let result = decoded(text, piece: size)
      // Of malformed bytes, how far they were taken depends on how they came.
      #expect(result.end == end, "in pieces of \(size)")
      #expect(result.body == body, "in pieces of \(size)")
    }
  }

  @Test func endlessTrailerIsRefused() {
    let trailer = String(repeating: "A: \(String(repeating: "x", count: 90))\r\n", count: 100)
    #expect(decoded("0\r\n" + trailer, piece: 50).end == "malformed")
    #expect(decoded(String(repeating: "1", count: 300), piece: 7).end == "malformed")
  }
}
