/// The output formats.
package enum OutputFormat: String, CaseIterable, Sendable {
  case csv, json, logfmt, ndjson, pretty, text, toml, xml, yaml

  /// Whether records are independent, so that each can be written as soon as it is read.
  package var isStreaming: Bool { self == .logfmt || self == .ndjson || self == .pretty }
}
