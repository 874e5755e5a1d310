/// Metrics as Prometheus reads them: the text format of version 0.0.4,
/// https://prometheus.io/docs/instrumenting/exposition_formats/.
package struct MetricsText {
  /// The media type of the text.
  package static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

  /// Whether a value only grows.
  package enum Kind: String, Sendable { case counter, gauge }

  package private(set) var text = ""

  package init() {}

  /// Adds a metric with all its samples.
  ///
  /// - Parameters:
  ///   - help: one sentence.
  ///   - samples: for each its labels as `NAME="VALUE"`, separated by commas, made by ``label(_:_:)``; and its value.
  package mutating func add(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: String, value: Double)]
  ) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    for (labels, value) in samples {
      text += "\(name)\(labels.isEmpty ? "" : "{\(labels)}") \(Self.number(value))\n"
    }
  }

  /// Adds a metric of one value.
  package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: UInt64) {
    add(name, kind, help, [("", Double(value))])
  }

  /// A label, its value escaped.
  package static func label(_ name: String, _ value: String) -> String {
    var escaped = ""
    for character in value.unicodeScalars {
      switch character {
      case "\\": escaped += "\\\\"
      case "\"": escaped += "\\\""
      case "\n": escaped += "\\n"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return "\(name)=\"\(escaped)\""
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
  }
}
