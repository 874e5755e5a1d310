/// The formats that results can be written in.
package enum OutputFormat: String, CaseIterable, Sendable {
  case csv, fluentd, json, logfmt, ndjson, pretty, text, toml, xml, yaml

  /// Whether each record stands for itself, so that it can be written the moment it is read.
  package var isStreaming: Bool {
    self == .fluentd || self == .logfmt || self == .ndjson || self == .pretty
  }
}
