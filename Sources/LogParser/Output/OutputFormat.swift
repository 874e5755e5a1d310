/// The output formats.
package enum OutputFormat: String, CaseIterable, Sendable {
  case csv, fluentd, json, logfmt, ndjson, otlp, pretty, text, toml, xml, yaml

  /// Whether each record stands for itself, so that it can be written the moment it is read.
  package var isStreaming: Bool {
    self == .fluentd || self == .logfmt || self == .ndjson || self == .otlp || self == .pretty
  }

  /// Whether records that come together are written together, as a line has several of them.
  var isBatched: Bool { self == .otlp }

  /// Whether the records can be delivered to a receiver.
  package var isDelivered: Bool { self == .fluentd || self == .otlp }
}
