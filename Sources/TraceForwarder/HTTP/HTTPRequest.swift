import Glibc

/// A request of HTTP/1.1 (RFC 9112), its body taken out of its transfer coding.
struct HTTPRequest: Sendable {
  var method: String
  /// Before the question mark, percent-decoded.
  var path: String
  /// The parameters in their order, decoded.
  var query: [(name: String, value: String)] = []
  /// Names in lower case.
  var headers: [(name: String, value: String)] = []
  var body: [UInt8] = []
  var keepsAlive = true

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

  init(_ status: Int, text: String) {
    self.init(status, type: "text/plain; charset=utf-8", Array((text + "\n").utf8))
  }

  static let reasons = [
    100: "Continue", 200: "OK", 202: "Accepted", 204: "No Content", 400: "Bad Request", 404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout", 411: "Length Required", 413: "Content Too Large", 415: "Unsupported Media Type",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable",
    505: "HTTP Version Not Supported",
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
  package var connections = 256

  package init() {}
}

/// Reads requests out of bytes as they arrive.
struct HTTPRequestParser {
  enum Progress {
    /// More bytes are needed; the client waits for `100 Continue` first when this is true.
    case needsMore(expectsContinue: Bool)
    case request(HTTPRequest)
    /// The connection must be closed after this answer.
    case failed(HTTPResponse)
  }

  private let limits: HTTPLimits
  private var buffer: [UInt8] = []
  private var head: HTTPRequest?
  private var bodyLength = 0
  private var isChunked = false
  private var saidContinue = false
  /// Where the next search for the head's end begins.
  private var searched = 0

  init(limits: HTTPLimits) { self.limits = limits }

  /// Whether part of a request has arrived.
  var isInRequest: Bool { head != nil || !buffer.isEmpty }

  mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(contentsOf: bytes) }

  mutating func next() -> Progress {
    if head == nil, let problem = parseHead() { return problem }
    guard var request = head else { return .needsMore(expectsContinue: false) }
    if isChunked {
      guard let body = parseChunks() else {
        return .failed(HTTPResponse(400, text: "the chunked body is malformed"))
      }
      switch body {
      case .none:
        if buffer.count > limits.bodyBytes + (1 << 20) { return tooLarge }
        return waiting(request)
      case .some(let (bytes, end)):
        if bytes.count > limits.bodyBytes { return tooLarge }
        request.body = bytes
        buffer.removeFirst(end)
      }
    } else {
      guard buffer.count >= bodyLength else { return waiting(request) }
      request.body = Array(buffer[..<bodyLength])
      buffer.removeFirst(bodyLength)
    }
    head = nil
    searched = 0
    saidContinue = false
    return .request(request)
  }

  private var tooLarge: Progress {
    .failed(HTTPResponse(413, text: "the body is larger than \(limits.bodyBytes) bytes"))
  }

  private mutating func waiting(_ request: HTTPRequest) -> Progress {
    let expects = !saidContinue && request.header("expect")?.lowercased() == "100-continue"
    saidContinue = saidContinue || expects
    return .needsMore(expectsContinue: expects)
  }

  /// Parses request line and fields; an answer when they are bad.
  private mutating func parseHead() -> Progress? {
    // An empty line before a request is to be passed over.
    while buffer.first == 0x0d || buffer.first == 0x0a { buffer.removeFirst() }
    var end: Int?
    var index = max(0, searched - 3)
    while index + 3 < buffer.count {
      if buffer[index] == 0x0d, buffer[index + 1] == 0x0a, buffer[index + 2] == 0x0d,
        buffer[index + 3] == 0x0a
      {
        end = index
        break
      }
      index += 1
    }
    searched = buffer.count
    guard let end else {
      return buffer.count > limits.headerBytes
        ? .failed(HTTPResponse(431, text: "the request's fields are too large")) : nil
    }
    guard end <= limits.headerBytes else {
      return .failed(HTTPResponse(431, text: "the request's fields are too large"))
    }
    let text = String(decoding: buffer[..<end], as: UTF8.self)
    buffer.removeFirst(end + 4)
    var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
    let start = (lines.popFirst() ?? "").split(separator: " ", omittingEmptySubsequences: false)
    guard start.count == 3, start[2].hasPrefix("HTTP/1."), !start[0].isEmpty else {
      return .failed(HTTPResponse(400, text: "the request line is malformed"))
    }
    var request = HTTPRequest(method: String(start[0]), path: "")
    for line in lines {
      guard let colon = line.firstIndex(of: ":"), colon != line.startIndex, !line.hasPrefix(" "),
        !line.hasPrefix("\t")
      else {
        return .failed(HTTPResponse(400, text: "a field is malformed"))
      }
      request.headers.append(
        (line[..<colon].lowercased(), String(line[line.index(after: colon)...]).trimmingSpaces))
    }
    request.keepsAlive = keepsAlive(request, version: start[2])
    guard setTarget(start[1], &request) else {
      return .failed(HTTPResponse(400, text: "the target is malformed"))
    }
    if let problem = setLength(request) { return problem }
    head = request
    return nil
  }

  private func keepsAlive(_ request: HTTPRequest, version: Substring) -> Bool {
    let connection = request.header("connection")?.lowercased() ?? ""
    return version == "HTTP/1.0" ? connection.contains("keep-alive") : !connection.contains("close")
  }

  private func setTarget(_ target: Substring, _ request: inout HTTPRequest) -> Bool {
    var rest = target
    if rest.hasPrefix("http://") {
      rest = rest.dropFirst(7)
      rest = rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...]
    }
    let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let path = Self.percentDecoded(first, plusIsSpace: false),
      path.hasPrefix("/") || path == "*"
    else { return false }
    request.path = path
    guard parts.count == 2 else { return true }
    for pair in parts[1].split(separator: "&").prefix(256) {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.percentDecoded(sides[0], plusIsSpace: true),
        let value = Self.percentDecoded(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
      else { return false }
      request.query.append((name, value))
    }
    return true
  }

  private mutating func setLength(_ request: HTTPRequest) -> Progress? {
    isChunked = false
    bodyLength = 0
    if let coding = request.header("transfer-encoding") {
      guard coding.lowercased() == "chunked" else {
        return .failed(HTTPResponse(501, text: "the transfer coding is not known"))
      }
      guard request.header("content-length") == nil else {
        return .failed(HTTPResponse(400, text: "both a length and a transfer coding are given"))
      }
      isChunked = true
      return nil
    }
    let lengths = request.headers.filter { $0.name == "content-length" }.map(\.value)
    guard let first = lengths.first else { return nil }
    guard lengths.allSatisfy({ $0 == first }), first.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let length = Int(first)
    else {
      return .failed(HTTPResponse(400, text: "the length is malformed"))
    }
    guard length <= limits.bodyBytes else { return tooLarge }
    bodyLength = length
    return nil
  }

  /// The body of all chunks and where it ends; the inner nil when some are missing, the outer when they are broken.
  private func parseChunks() -> (([UInt8], Int)?)? {
    var body: [UInt8] = []
    var index = 0
    while true {
      guard let lineEnd = buffer[index...].firstIndex(of: 0x0a) else {
        return buffer.count - index > 256 ? nil : .some(nil)
      }
      let line = String(decoding: buffer[index..<lineEnd], as: UTF8.self)
      let digits = line.prefix { $0.isHexDigit }
      guard !digits.isEmpty, digits.utf8.count <= 8, let size = Int(digits, radix: 16) else { return nil }
      index = lineEnd + 1
      if size == 0 {
        // Trailers are passed over up to the empty line.
        while true {
          guard let end = buffer[index...].firstIndex(of: 0x0a) else {
            return buffer.count - index > 4096 ? nil : .some(nil)
          }
          let isEmpty = end - index <= 1
          index = end + 1
          if isEmpty { return .some((body, index)) }
        }
      }
      guard body.count + size <= limits.bodyBytes + 1 else {
        return .some((body + [UInt8](repeating: 0, count: limits.bodyBytes + 1 - body.count), index))
      }
      guard buffer.count >= index + size + 2 else { return .some(nil) }
      body += buffer[index..<index + size]
      guard buffer[index + size] == 0x0d, buffer[index + size + 1] == 0x0a else { return nil }
      index += size + 2
    }
  }

  static func percentDecoded(_ text: Substring, plusIsSpace: Bool) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == 0x25 {
        guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        else { return nil }
        bytes.append(value)
        rest.removeFirst(2)
      } else {
        bytes.append(byte == 0x2b && plusIsSpace ? 0x20 : byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
