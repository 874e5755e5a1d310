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
      case .retried: "Failed delivery attempts that are retried."
      }
    }

    var label: String {
      switch self {
      case .received: "receiver"
      case .decoded: "encoding"
      case .rejected, .closed: "reason"
      case .connections: "receiver"
      case .requests: "code"
      case .exported, .refused, .retried: "exporter"
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

  /// The text of format version 0.0.4.
  package var text: String {
    var out = ""
    let values = values.withLock { $0 }
    for counter in Counter.allCases {
      out += "# HELP \(counter.rawValue) \(counter.help)\n# TYPE \(counter.rawValue) counter\n"
      let entries = values.filter { $0.key.counter == counter }.sorted { $0.key.label < $1.key.label }
      if entries.isEmpty { out += "\(counter.rawValue) 0\n" }
      for (key, value) in entries {
        out += "\(counter.rawValue){\(counter.label)=\"\(key.label)\"} \(value)\n"
      }
    }
    let current = gauges.withLock { $0 }
    for gauge in Gauge.allCases {
      out += "# HELP \(gauge.rawValue) \(gauge.help)\n# TYPE \(gauge.rawValue) gauge\n"
      for (label, value) in (current[gauge] ?? [:]).sorted(by: { $0.key < $1.key }) {
        out += "\(gauge.rawValue){receiver=\"\(label)\"} \(value)\n"
      }
    }
    for (name, body) in computed.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
      let parts = name.split(separator: " ", maxSplits: 1).map(String.init)
      let type = parts[0].hasSuffix("_total") ? "counter" : "gauge"
      out += "# HELP \(parts[0]) \(parts.count > 1 ? parts[1] : "")\n# TYPE \(parts[0]) \(type)\n"
      for (labels, value) in body() {
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        out += "\(parts[0])\(labels.isEmpty ? "" : "{\(labels)}") \(number)\n"
      }
    }
    return out
  }
}
