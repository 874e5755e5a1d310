import Bytes

/// Parses HTTP/1.1 requests (RFC 9112) from bytes as they arrive; each byte is examined once, however they are split.
struct HTTPRequestParser {
  enum Progress {
    /// More bytes are needed; the client waits for `100 Continue` first when this is true.
    case needsMore(expectsContinue: Bool)
    case request(HTTPRequest)
    /// The connection must be closed after this answer.
    case failed(HTTPResponse)
  }

  /// What the next bytes are.
  private enum State {
    case head
    /// This many bytes of a body whose length was given.
    case body(Int)
    case chunked
  }

  private let limits: HTTPLimits
  /// The received bytes; those before ``consumed`` are consumed.
  private var buffer: [UInt8] = []
  private var consumed = 0
  private var state = State.head
  private var request = HTTPRequest(method: "", path: "")
  private var chunks = ChunkedBody()
  private var saidContinue = false
  /// Where the next search for the head's end begins.
  private var searched = 0

  init(limits: HTTPLimits) { self.limits = limits }

  /// Whether part of a request has arrived.
  var isInRequest: Bool {
    if case .head = state { return consumed < buffer.count }
    return true
  }

  /// Bytes that it keeps.
  var size: Int { buffer.count + request.body.count }

  mutating func append(_ bytes: ArraySlice<UInt8>) {
    if consumed > 0 {
      buffer.removeFirst(consumed)
      searched = max(0, searched - consumed)
      consumed = 0
    }
    buffer.append(contentsOf: bytes)
  }

  mutating func next() -> Progress {
    if case .head = state {
      if let problem = readHead() { return problem }
      if case .head = state { return .needsMore(expectsContinue: false) }
    }
    switch state {
    case .head: return .needsMore(expectsContinue: false)
    case .body(let left):
      let count = min(left, buffer.count - consumed)
      request.body.append(contentsOf: buffer[consumed..<consumed + count])
      consumed += count
      if count < left {
        state = .body(left - count)
        return waiting
      }
    case .chunked:
      switch chunks.take(buffer[consumed...], limit: limits.bodyBytes, into: &request.body) {
      case .needsMore(let taken):
        consumed += taken
        return waiting
      case .complete(let taken): consumed += taken
      case .tooLarge: return tooLarge
      case .malformed: return .failed(HTTPResponse(400, text: "the chunked body is malformed"))
      }
    }
    defer { reset() }
    return .request(request)
  }

  private mutating func reset() {
    state = .head
    request = HTTPRequest(method: "", path: "")
    chunks = ChunkedBody()
    saidContinue = false
    searched = consumed
  }

  private var tooLarge: Progress {
    .failed(HTTPResponse(413, text: "the body is larger than \(limits.bodyBytes) bytes"))
  }

  private var waiting: Progress {
    mutating get {
      let expects = !saidContinue && request.header("expect")?.lowercased() == "100-continue"
      saidContinue = saidContinue || expects
      return .needsMore(expectsContinue: expects)
    }
  }

  // MARK: The head

  /// Reads request line and fields when they are there; an answer when they are bad.
  private mutating func readHead() -> Progress? {
    // Empty lines before a request must be skipped (RFC 9112, section 2.2).
    while consumed < buffer.count, buffer[consumed] == 0x0d || buffer[consumed] == 0x0a { consumed += 1 }
    guard let end = headEnd() else {
      // The empty line's last three bytes may be all that has arrived of it.
      return buffer.count - consumed > limits.headerBytes + 3 ? headTooLarge : nil
    }
    guard end - consumed <= limits.headerBytes else { return headTooLarge }
    let lines = String(decoding: buffer[consumed..<end], as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false)
    consumed = end + 4
    let start = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
    guard start.count == 3, start[2].hasPrefix("HTTP/1."), !start[0].isEmpty else {
      return .failed(HTTPResponse(400, text: "the request line is malformed"))
    }
    request.method = String(start[0])
    for line in lines.dropFirst() {
      guard let field = Self.field(line) else {
        return .failed(HTTPResponse(400, text: "a header field is malformed"))
      }
      request.headers.append(field)
    }
    request.keepsAlive = keepsAlive(version: start[2])
    guard RequestTarget.set(start[1], in: &request) else {
      return .failed(HTTPResponse(400, text: "the target is malformed"))
    }
    return setLength()
  }

  private var headTooLarge: Progress {
    .failed(
      HTTPResponse(431, text: "the request's header fields are larger than \(limits.headerBytes) bytes"))
  }

  /// Where the empty line begins that ends the head; nil when it has not arrived.
  private mutating func headEnd() -> Int? {
    var index = max(consumed, searched - 3)
    while index + 3 < buffer.count {
      if buffer[index] == 0x0d, buffer[index + 1] == 0x0a, buffer[index + 2] == 0x0d,
        buffer[index + 3] == 0x0a
      {
        return index
      }
      index += 1
    }
    searched = buffer.count
    return nil
  }

  private static func field(_ line: Substring) -> (name: String, value: String)? {
    guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return nil }
    let name = line[..<colon]
    // Neither a folded line nor a name with a space, which proxies interpret differently.
    guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    let value = line[line.index(after: colon)...]
    guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else { return nil }
    return (name.lowercased(), String(value).trimmingSpaces)
  }

  private func keepsAlive(version: Substring) -> Bool {
    let connection = request.header("connection")?.lowercased() ?? ""
    return version == "HTTP/1.0" ? connection.contains("keep-alive") : !connection.contains("close")
  }

  private mutating func setLength() -> Progress? {
    let lengths = request.headers.filter { $0.name == "content-length" }.map(\.value)
    if let coding = request.header("transfer-encoding") {
      guard coding.lowercased() == "chunked" else {
        return .failed(HTTPResponse(501, text: "the transfer coding is not supported"))
      }
      guard lengths.isEmpty else {
        return .failed(HTTPResponse(400, text: "both Content-Length and Transfer-Encoding are given"))
      }
      state = .chunked
      return nil
    }
    guard let first = lengths.first else {
      state = .body(0)
      return nil
    }
    guard lengths.allSatisfy({ $0 == first }), first.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let length = Int(first)
    else { return .failed(HTTPResponse(400, text: "Content-Length is malformed")) }
    guard length <= limits.bodyBytes else { return tooLarge }
    state = .body(length)
    return nil
  }
}

/// The target of a request: path and parameters.
package enum RequestTarget {
  /// Sets path, segments and parameters by the target; false when it is malformed.
  package static func set(_ target: Substring, in request: inout HTTPRequest) -> Bool {
    var rest = target
    if rest.hasPrefix("http://") {
      rest = rest.dropFirst(7)
      request.authority = String(rest.prefix { $0 != "/" })
      rest = rest[(rest.firstIndex(of: "/") ?? rest.endIndex)...]
    }
    let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let path = percentDecoded(first, plusIsSpace: false),
      path.hasPrefix("/") || path == "*"
    else { return false }
    request.path = path
    for part in first.split(separator: "/") {
      guard let segment = percentDecoded(part, plusIsSpace: false) else { return false }
      request.segments.append(segment)
    }
    guard parts.count == 2 else { return true }
    for pair in parts[1].split(separator: "&").prefix(256) {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = percentDecoded(sides[0], plusIsSpace: true),
        let value = percentDecoded(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
      else { return false }
      request.query.append((name, value))
    }
    return true
  }

  /// Nil when an escape is broken or the result is not UTF-8.
  static func percentDecoded(_ text: Substring, plusIsSpace: Bool) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == 0x25 {
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
          return nil
        }
        bytes.append(high << 4 | low)
      } else {
        bytes.append(byte == 0x2b && plusIsSpace ? 0x20 : byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
