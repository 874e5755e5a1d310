import HTTP
import System

/// The forwarder's metrics, as Prometheus text.
package final class Metrics: Sendable {
  /// A counter that only grows, by the name it has in the text.
  package enum Counter: String, CaseIterable, Sendable {
    case received = "kata_forwarder_spans_received_total"
    case decoded = "kata_forwarder_spans_decoded_total"
    case rejected = "kata_forwarder_spans_rejected_total"
    case connections = "kata_forwarder_connections_total"
    case closed = "kata_forwarder_connections_closed_total"
    case requests = "kata_forwarder_http_requests_total"
    case exported = "kata_forwarder_spans_exported_total"
    case refused = "kata_forwarder_spans_refused_by_collector_total"
    case retried = "kata_forwarder_export_retries_total"
    case logsReceived = "kata_forwarder_log_records_received_total"
    case logsRejected = "kata_forwarder_log_records_rejected_total"
    case logsExported = "kata_forwarder_log_records_exported_total"
    case logsRefused = "kata_forwarder_log_records_refused_by_collector_total"

    var help: String {
      switch self {
      case .received: "Frames and spans that arrived, by receiver."
      case .decoded: "Spans that were decoded, by encoding."
      case .rejected: "Spans and frames that were left out, by reason."
      case .connections: "Connections that were accepted."
      case .closed: "Connections that the forwarder refused or closed, by reason."
      case .requests: "HTTP requests, by status."
      case .exported: "Spans that an exporter delivered."
      case .refused:
        "Spans that a destination refused and that were set aside, or that a partial success rejected."
      case .retried: "Attempts to deliver that failed and are repeated."
      case .logsReceived: "Log records that arrived, by receiver."
      case .logsRejected: "Log records and requests of them that were left out, by reason."
      case .logsExported: "Log records that an exporter delivered."
      case .logsRefused:
        "Log records that a destination refused and that were set aside, or that a partial success rejected."
      }
    }

    var label: String {
      switch self {
      case .received, .logsReceived: "receiver"
      case .decoded: "encoding"
      case .rejected, .closed, .logsRejected: "reason"
      case .connections: "receiver"
      case .requests: "code"
      case .exported, .refused, .retried, .logsExported, .logsRefused: "exporter"
      }
    }
  }

  /// A number that rises and falls.
  package enum Gauge: String, CaseIterable, Sendable {
    case connections = "kata_forwarder_open_connections"
    case listeners = "kata_forwarder_agent_listeners"

    var help: String {
      switch self {
      case .connections: "Connections that are open, by receiver."
      case .listeners: "Sockets that agents can connect to, by receiver."
      }
    }
  }

  private struct Key: Hashable {
    var counter: Counter
    var label: String
  }

  private let values = Lock<[Key: UInt64]>([:])
  private let gauges = Lock<[Gauge: [String: Int]]>([:])
  private let computed = Lock<[String: @Sendable () -> [(labels: String, value: Double)]]>([:])

  package init() {}

  /// Adds to a counter. Labels are chosen by the forwarder, never by a peer, so there are few.
  package func add(_ counter: Counter, _ label: String, _ count: Int = 1) {
    guard count > 0 else { return }
    values.withLock { $0[Key(counter: counter, label: label), default: 0] += UInt64(count) }
  }

  /// Adds to a gauge, or takes from it.
  package func change(_ gauge: Gauge, _ label: String, by count: Int) {
    gauges.withLock { $0[gauge, default: [:]][label, default: 0] += count }
  }

  /// The sum over all labels.
  package func value(_ gauge: Gauge) -> Int {
    gauges.withLock { $0[gauge, default: [:]].values.reduce(0, +) }
  }

  /// The value of a counter for one label, or the sum over all labels.
  package func value(_ counter: Counter, _ label: String? = nil) -> UInt64 {
    values.withLock { values in
      values.reduce(0) { sum, entry in
        entry.key.counter == counter && (label == nil || label == entry.key.label) ? sum + entry.value : sum
      }
    }
  }

  /// Registers a value that is read whenever the text is made; `name` has `HELP` text after a space.
  package func gauge(_ name: String, _ body: @escaping @Sendable () -> [(labels: String, value: Double)]) {
    computed.withLock { $0[name] = body }
  }

  /// The text that Prometheus reads.
  package var text: String {
    var out = MetricsText()
    let values = values.withLock { $0 }
    for counter in Counter.allCases {
      let entries = values.filter { $0.key.counter == counter }.sorted { $0.key.label < $1.key.label }
      let samples = entries.map { (MetricsText.label(counter.label, $0.key.label), Double($0.value)) }
      out.add(counter.rawValue, .counter, counter.help, samples.isEmpty ? [("", 0)] : samples)
    }
    let current = gauges.withLock { $0 }
    for gauge in Gauge.allCases {
      let entries = (current[gauge] ?? [:]).sorted { $0.key < $1.key }
      out.add(
        gauge.rawValue, .gauge, gauge.help,
        entries.map { (MetricsText.label("receiver", $0.key), Double($0.value)) })
    }
    for (name, body) in computed.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      let parts = name.split(separator: " ", maxSplits: 1).map(String.init)
      out.add(
        parts[0], parts[0].hasSuffix("_total") ? .counter : .gauge, parts.count > 1 ? parts[1] : "", body())
    }
    return out.text
  }
}
