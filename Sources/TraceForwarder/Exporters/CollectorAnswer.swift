/// The meaning of a collector's answer for the spans of a request. The table is in `formats/collector-answers`.
///
/// Only statuses that these very spans can cause are treated as a refusal of them. All others are problems of the
/// collector, of the path to it, or of the forwarder's options: an operator can fix those, so the spans wait.
package enum CollectorAnswer: String, Sendable {
  /// The spans are delivered.
  case accepted = "accepted"
  /// Some span of the request may be at fault: halves are tried, and a single span that stays refused is set aside.
  case refused = "refused"
  /// The spans wait and are sent again.
  case held = "held"

  package init(status: Int) {
    switch status {
    case 200..<300: self = .accepted
    case 400, 413, 422: self = .refused
    default: self = .held
    }
  }

  /// The remedy for an answer that is not ``accepted``.
  package static func remedy(_ status: Int) -> String {
    switch status {
    case 300..<400: "give the URL that the collector redirects to; redirects are not followed"
    case 400, 413, 422:
      "read the collector's log: it refuses these spans, or the URL is for another protocol"
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
