import Delivery
import HTTP
import System

/// Where and how records are delivered.
package struct DeliveryOptions: Sendable {
  /// Where the Forward protocol is taken, in order of preference.
  package var endpoints: [ForwardEndpoint] = []
  package var forward = ForwardOptions()
  /// URLs of collectors that take OTLP, with their paths, in order of preference.
  package var collectors: [String] = []
  /// What each request to a collector has; the URL is one of ``collectors``.
  package var otlp = HTTPClient.Options(url: "")
  /// Whether there is somewhere to deliver to.
  package var hasReceivers: Bool { !endpoints.isEmpty || !collectors.isEmpty }
  package var engine = DeliverySettings()
  /// Where records are kept that no receiver takes.
  package var setAsideFile: String?
  package init() {}

  /// Makes the receivers; they end what they do at the deadline.
  func receivers(_ deadline: StopDeadline) throws(DeliveryFailure) -> [any Receiver] {
    var receivers: [any Receiver] = []
    for endpoint in endpoints { receivers.append(try ForwardReceiver(endpoint, forward, deadline)) }
    for url in collectors {
      var options = otlp
      options.url = url
      options.timeout = engine.acknowledgementTimeout
      receivers.append(
        try OTLPReceiver(
          options, compresses: forward.compresses, userAgent: "kata-log-parser", deadline: deadline))
    }
    return receivers
  }
}
