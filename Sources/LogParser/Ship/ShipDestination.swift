import Bytes
import CommandLine
import Delivery
import System

/// Where a shipper sends, and in which form.
struct ShipDestination: Sendable {
  /// Makes the receivers, in order of preference, on the delivery's thread.
  let makeReceivers: @Sendable (StopDeadline) throws(DeliveryFailure) -> [any Receiver]
  /// Makes what writes records as entries of chunks, on the reading thread.
  let makeEncoder: @Sendable () -> any ShipEncoder

  /// - Throws: an endpoint or a file of secrets that cannot be used.
  init(_ configuration: ShipConfiguration) throws(UsageError) {
    var endpoints: [ForwardEndpoint] = []
    for text in configuration.endpoints {
      do throws(ForwardEndpoint.Problem) { endpoints.append(try ForwardEndpoint(text)) } catch {
        throw UsageError(error.reason)
      }
    }
    let options = try Self.forward(configuration)
    let receivers = endpoints
    makeReceivers = { (stop) throws(DeliveryFailure) in
      var result: [any Receiver] = []
      for endpoint in receivers { result.append(try ForwardReceiver(endpoint, options, stop)) }
      return result
    }
    makeEncoder = { FormattedEntries(FluentdFormatter(.framed)) }
  }

  private static func forward(_ configuration: ShipConfiguration) throws(UsageError) -> ForwardOptions {
    var options = ForwardOptions()
    options.tag = configuration.tag
    options.compresses = configuration.compresses
    options.wantsAcknowledgements = configuration.waitsForAcknowledgement
    options.user = configuration.user ?? ""
    do throws(SecretFile.Problem) {
      if let path = configuration.sharedKeyFile { options.sharedKey = try SecretFile.read(path) }
      if let path = configuration.passwordFile { options.password = try SecretFile.read(path) }
    } catch {
      throw UsageError(error.reason)
    }
    return options
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
