import Delivery

/// Where and how records are delivered.
package struct DeliveryOptions: Sendable {
  /// In order of preference.
  package var endpoints: [ForwardEndpoint] = []
  package var forward = ForwardOptions()
  package var engine = DeliverySettings()
  /// Where records are kept that no receiver takes.
  package var setAsideFile: String?
  package init() {}
}
