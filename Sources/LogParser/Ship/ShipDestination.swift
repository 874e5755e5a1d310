import Bytes
import CommandLine
import Delivery
import System

/// Where a shipper sends records, and in which encoding.
struct ShipDestination: Sendable {
  private let options: DeliveryOptions

  /// - Throws: if an endpoint or a file with a secret cannot be used.
  init(_ configuration: ShipConfiguration) throws(UsageError) {
    var options = DeliveryOptions()
    for endpoint in configuration.endpoints { try options.add(endpoint: endpoint) }
    options.forward.tag = configuration.tag
    options.forward.compresses = configuration.compresses
    options.forward.wantsAcknowledgements = configuration.waitsForAcknowledgement
    options.forward.user = configuration.user ?? ""
    if let path = configuration.sharedKeyFile { options.forward.sharedKey = try DeliveryOptions.secret(path) }
    if let path = configuration.passwordFile { options.forward.password = try DeliveryOptions.secret(path) }
    if let path = configuration.headerFile { try options.addHeaders(ofFile: path) }
    guard options.endpoints.isEmpty || options.collectors.isEmpty else {
      throw UsageError(
        "the endpoints use two protocols: give only http:// and https:// URLs, or none of them")
    }
    options.engine.chunk.size = 512 << 10
    options.engine.acknowledgementTimeout = configuration.acknowledgementTimeout
    if !options.collectors.isEmpty { options.limitChunks() }
    self.options = options
  }

  var settings: DeliverySettings { options.engine }

  /// Makes the receivers, in order of preference, on the delivery's thread.
  func makeReceivers(_ deadline: StopDeadline) throws(DeliveryFailure) -> [any Receiver] {
    try options.receivers(deadline)
  }

  /// Makes the encoder of chunk entries, on the reading thread.
  func makeEncoder() -> any ShipEncoder {
    options.collectors.isEmpty
      ? FormattedEntries(FluentdFormatter(.framed)) : FormattedEntries(OTLPFormatter(.framed))
  }
}

/// Entries as a formatter writes them.
private final class FormattedEntries<Formatter: RecordFormatter>: ShipEncoder {
  private let formatter: Formatter

  init(_ formatter: Formatter) { self.formatter = formatter }

  func encode(_ record: inout Record, _ place: RecordPlace, to out: inout OutputBuffer) {
    formatter.format(record, place, &out)
  }
}
