import TestSupport
import Testing

@testable import HTTP

/// Requests that are nearly right, cut at any places: the answer depends on the bytes, not on how they arrive.
@Suite(.ownThreads) struct HTTPRequestFuzzTests {
  private static let seeds: [String] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /api/traces?service=a%20b&tag=k:v&tags=%7B%22a%22%3A1%7D&limit=20 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "POST /api/traces HTTP/1.1\r\nContent-Type: application/x-thrift\r\nContent-Length: 5\r\n\r\nabcde"
      + "GET /next HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "POST /v1/traces HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
      + "0\r\nTrailer: z\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "PUT http://host:80/a/b%2Fc/d HTTP/1.1\r\nContent-Length: 0\r\nA:\r\nB: \t x \t\r\n\r\n",
  ]
  private static let tokens = [
    "\r\n", "\r\n\r\n", "\n", "\r", " ", ":", "0\r\n\r\n", "ffffffff\r\n", "1\r\nx\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 18446744073709551616\r\n", "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n", "%",
    "%2", "%ff", "+", "HTTP/1.1", "HTTP/2", "\u{0}", "é", "Expect: 100-continue\r\n", "&", "=", "?", "#",
    String(repeating: "x", count: 300), ";" + String(repeating: "y", count: 150),
  ]

  private static var limits: HTTPLimits {
    var limits = HTTPLimits()
    limits.headerBytes = 512
    limits.bodyBytes = 64
    return limits
  }

  /// All requests and the refusal at the end, as texts; a parser behind a proxy must agree with it on these.
  private func results(_ bytes: [UInt8], cuts: [Int]) -> [String] {
    var parser = HTTPRequestParser(limits: Self.limits)
    var result: [String] = []
    var start = 0
    for end in cuts + [bytes.count] {
      parser.append(bytes[start..<end])
      start = end
      read: while true {
        switch parser.next() {
        case .needsMore: break read
        case .request(let request):
          result.append(
            "\(request.method) \(request.path) \(request.query) \(request.headers) \(request.body) \(request.keepsAlive)"
          )
          #expect(request.body.count <= Self.limits.bodyBytes)
        case .failed(let response):
          result.append("\(response.status) \(String(decoding: response.body, as: UTF8.self))")
          return result
        }
      }
      #expect(parser.size <= bytes.count + Self.limits.bodyBytes)
    }
    result.append(parser.isInRequest ? "more" : "idle")
    return result
  }

  @Test func requestsFuzz() {
    let mutator = Mutator(
      seeds: Self.seeds.map { Array($0.utf8) }, tokens: Self.tokens.map { Array($0.utf8) })
    var requests = 0
    Fuzzing.run("HTTP requests") { generator in
      let bytes = mutator.next(&generator)
      let whole = results(bytes, cuts: [])
      requests += whole.count - 1
      let cuts =
        generator.oneIn(4)
        ? Array(bytes.indices) : (0..<generator.below(6)).map { _ in generator.below(bytes.count) }.sorted()
      let split = results(bytes, cuts: cuts)
      if split != whole { Issue.record("\(whole) became \(split), cut at \(cuts), from \(bytes)") }
    }
    #expect(requests > 0)
  }
}
