import Delivery
import HTTP
import System

/// Where and how records are delivered.
package struct DeliveryOptions: Sendable {
  /// Receivers of the Forward protocol, in order of preference.
  package var endpoints: [ForwardEndpoint] = []
  package var forward = ForwardOptions()
  /// URLs of OTLP collectors, with their paths, in order of preference.
  package var collectors: [String] = []
  /// Options of each request to a collector; the URL is one of ``collectors``.
  package var otlp = HTTPClient.Options(url: "")
  /// Whether there is a receiver.
  package var hasReceivers: Bool { !endpoints.isEmpty || !collectors.isEmpty }
  package var engine = DeliverySettings()
  /// The file for records that no receiver accepts.
  package var setAsideFile: String?
  package init() {}

  /// Makes the receivers; they stop at the deadline.
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
