/// What a collector's answer means for the spans or records of a request. The table is in `formats/collector-answers`.
///
/// Only what can be the fault of these very spans is taken for a refusal of them. Everything else is a matter of the
/// collector, of the way to it, or of the sender's options: a person can mend that, so the spans wait.
package enum CollectorAnswer: String, Sendable {
  /// The spans are delivered.
  case accepted = "accepted"
  /// Some span of the request may be at fault: halves are tried, and a single span that stays refused is set aside.
  case refused = "refused"
  /// The spans wait and are sent again.
  case held = "held"

  package init(_ answer: HTTPClient.Answer) {
    switch answer.status {
    case 200..<300: self = answer.isPage ? .held : .accepted
    case 400, 413, 422: self = .refused
    default: self = .held
    }
  }

  /// What to do about an answer that is not ``accepted``.
  ///
  /// - Parameter items: what was sent.
  package static func remedy(_ status: Int, of items: String = "spans") -> String {
    switch status {
    case 300..<400: "give the URL that the collector redirects to; redirects are not followed"
    case 400, 413, 422:
      "read the collector's log: it refuses these \(items), or the URL is of another protocol"
    case 401, 403: "check the credentials and --otlp-header"
    case 404, 405, 410: "check the path of the URL"
    case 406, 415: "check that the URL is for this protocol and encoding"
    case 407: "check the proxy and its credentials"
    case 408, 429: "the collector is overloaded, or a proxy in front of it limits requests"
    case 508: "the URL leads back to this forwarder: give the collector's"
    case 502, 503, 504: "check that the collector and its backend are running"
    case 500..<600: "read the collector's log"
    default: "check that a collector is at this URL, and no other service"
    }
  }
}

extension HTTPClient.Answer {
  /// What a failure says of the answer.
  package var summary: String { isPage && status < 300 ? "\(status) with a web page" : "\(status)" }

  /// Whether the body is HTML or XML: what a web server at a wrong port, or a proxy that wants a login, says with 200.
  /// Empty bodies, and texts such as "OK", are what some collectors say.
  var isPage: Bool {
    // A partial success of 60 bytes begins as a line end and "<" do, but then no field of it has the number of these.
    let start = body.drop { $0 == 0x20 || (0x09...0x0d).contains($0) }.prefix(2)
    return start.first == UInt8(ascii: "<") && "!?hH".utf8.contains(start.last ?? 0)
  }
}
