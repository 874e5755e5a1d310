import Glibc

/// An HTTP/1.1 request (RFC 9112) with its decoded body.
package struct HTTPRequest: Sendable {
  package var method: String
  /// Before the question mark, percent-decoded.
  package var path: String
  /// The path's parts between slashes, each percent-decoded on its own: one may contain a slash. Empty parts are left
  /// out.
  package var segments: [String] = []
  /// The parameters in their order, decoded.
  package var query: [(name: String, value: String)] = []
  /// Names in lower case.
  package var headers: [(name: String, value: String)] = []
  package var body: [UInt8] = []
  package var keepsAlive = true
  /// The authority of a target in absolute form, which takes the place of the field `Host`.
  package var authority: String?
  /// Whether the peer is a process of this machine: it came over loopback or a Unix socket.
  package var isLocal = false

  package init(method: String, path: String) {
    self.method = method
    self.path = path
  }

  /// The value of the first field of a name, which must be in lower case.
  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// The value of the first parameter of a name.
  package func parameter(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// The values of all parameters of a name, in their order.
  package func parameters(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }

  /// The media type without its parameters, in lower case.
  package var mediaType: String {
    (header("content-type") ?? "").prefix { $0 != ";" }.lowercased().trimmingSpaces
  }
}

/// An answer to a request, before the connection adds the fields that it owns.
package struct HTTPResponse: Sendable {
  package var status: Int
  package var type = "application/json"
  package var headers: [(name: String, value: String)] = []
  package var body: [UInt8] = []

  package init(
    _ status: Int, type: String = "application/json", _ body: [UInt8] = [],
    headers: [(name: String, value: String)] = []
  ) {
    self.status = status
    self.type = type
    self.body = body
    self.headers = headers
  }

  /// - Parameter retryAfter: seconds.
  package init(_ status: Int, text: String, retryAfter: Int) {
    self.init(status, text: text)
    headers.append(("Retry-After", String(retryAfter)))
  }

  package init(_ status: Int, text: String) {
    self.init(status, type: "text/plain; charset=utf-8", Array((text + "\n").utf8))
  }

  /// The phrases of the statuses that this server answers with.
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
  /// The text without spaces and tabs at its ends.
  var trimmingSpaces: String {
    var view = self[...]
    while let first = view.first, first == " " || first == "\t" { view.removeFirst() }
    while let last = view.last, last == " " || last == "\t" { view.removeLast() }
    return String(view)
  }
}

/// Limits on requests.
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
