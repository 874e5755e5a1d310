import Glibc

/// A request of HTTP/1.1 (RFC 9112), its body taken out of its transfer coding.
struct HTTPRequest: Sendable {
  var method: String
  /// Before the question mark, percent-decoded.
  var path: String
  /// The path's parts between slashes, each percent-decoded on its own: one may contain a slash. Empty parts are left
  /// out.
  var segments: [String] = []
  /// The parameters in their order, decoded.
  var query: [(name: String, value: String)] = []
  /// Names in lower case.
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  var keepsAlive = true
  /// The authority of a target in absolute form, which takes the place of the field `Host`.
  var authority: String?
  /// Whether the peer is a process of this machine: it came over loopback or a Unix socket.
  var isLocal = false

  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
  func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }
  func parameters(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

  /// The media type without its parameters, in lower case.
  var mediaType: String {
    (header("content-type") ?? "").prefix { $0 != ";" }.lowercased().trimmingSpaces
  }
}

struct HTTPResponse: Sendable {
  var status: Int
  var type = "application/json"
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []

  init(
    _ status: Int, type: String = "application/json", _ body: [UInt8] = [],
    headers: [(name: String, value: String)] = []
  ) {
    self.status = status
    self.type = type
    self.body = body
    self.headers = headers
  }

  /// - Parameter retryAfter: seconds.
  init(_ status: Int, text: String, retryAfter: Int) {
    self.init(status, text: text)
    headers.append(("Retry-After", String(retryAfter)))
  }

  init(_ status: Int, text: String) {
    self.init(status, type: "text/plain; charset=utf-8", Array((text + "\n").utf8))
  }

  static let reasons = [
    100: "Continue", 200: "OK", 202: "Accepted", 204: "No Content", 302: "Found", 400: "Bad Request",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    411: "Length Required",
    413: "Content Too Large", 415: "Unsupported Media Type", 421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
    505: "HTTP Version Not Supported", 508: "Loop Detected",
  ]
}

extension String {
  var trimmingSpaces: String {
    var view = self[...]
    while let first = view.first, first == " " || first == "\t" { view.removeFirst() }
    while let last = view.last, last == " " || last == "\t" { view.removeLast() }
    return String(view)
  }
}

/// What a request may be at most.
package struct HTTPLimits: Sendable {
  package var headerBytes = 32 << 10
  package var bodyBytes = 32 << 20
  /// Milliseconds for a whole request, and between two.
  package var requestTimeout = 30_000
  package var idleTimeout = 60_000
  /// Of the receivers for spans, of metrics, and of queries each.
  package var connections = 256
  /// Bytes of answers to queries that clients have not read; one answer beyond them may be on its way.
  package var unreadBytes = 64 << 20
  /// Bytes of requests that are not whole, of all connections together.
  package var bufferedBytes = 128 << 20

  package init() {}
}
