import System

/// Refuses exporters whose collector is one of this forwarder's own receivers: each span would come back forever.
///
/// Jaeger's agent over UDP is not among them, for nothing here receives datagrams.
enum LoopCheck {
  private struct Receiver {
    var option: String
    var address: IPAddress
  }

  /// How long a name may take to resolve, in milliseconds: the start must not wait for a resolver that does not answer.
  /// A loop that is not found here is found when the first request comes back.
  private static let patience = 2000

  /// The problem and its remedy; nil if there is none.
  static func problem(_ options: ForwarderOptions, _ sockets: ListeningSockets) -> String? {
    let receivers =
      sockets.otlp.compactMap { receiver("--otlp-receiver", $0) }
      + sockets.jaeger.compactMap { receiver("--jaeger-receiver", $0) }
    let exporters = [
      (option: "--otlp-endpoint", url: options.otlp?.url),
      (option: "--jaeger-endpoint", url: options.jaegerCollector?.url),
    ]
    for exporter in exporters {
      guard let url = exporter.url, let parts = try? HTTPURLParts(url),
        let found = match(host: parts.host, port: parts.effectivePort, receivers)
      else { continue }
      return
        "\(exporter.option) \(CollectorPoster.place(url)) leads to this forwarder's own receiver (\(found.option), \(found.address)): each span would come back forever; give the collector's address, or if the collector is to have this port, move the receiver or turn it off with \(found.option) off"
    }
    return nil
  }

  private static func receiver(_ option: String, _ socket: BoundSocket) -> Receiver? {
    socket.address.map { Receiver(option: option, address: $0) }
  }

  private static func match(host: String, port: UInt16, _ receivers: [Receiver]) -> Receiver? {
    let candidates = receivers.filter { $0.address.port == port }
    guard !candidates.isEmpty else { return nil }
    let targets = IPAddress.resolve(host: host, port: port, within: patience)
    return candidates.first { candidate in
      targets.contains { candidate.address.accepts($0) }
    }
  }
}
