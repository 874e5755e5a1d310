import Bytes
import Logging

/// The conditions that select records. A record must meet every kind of condition that was given. Of several values
/// of one kind, such as two sandboxes, one must match.
package struct Selection: Sendable {
  /// A condition on a field.
  package struct Match: Sendable {
    package enum Pattern: Sendable {
      case equals(String)
      /// A POSIX extended regular expression that occurs in the value.
      case matches(String)
    }
    /// `msg`, `level`, `pid`, … or the key of an extra field.
    package var key: String
    package var pattern: Pattern

    package init(key: String, pattern: Pattern) {
      self.key = key
      self.pattern = pattern
    }
  }

  /// A pod given by the first characters of its name, in one namespace or in any.
  package struct Pod: Sendable {
    package var namespace: String?
    package var name: String

    /// - Parameter text: `NAMESPACE/NAME` or `NAME`.
    package init(_ text: String) {
      let slash = text.firstIndex(of: "/")
      namespace = slash.map { String(text[..<$0]) }
      name = slash.map { String(text[text.index(after: $0)...]) } ?? text
    }
  }

  package var sandboxes: [String] = []
  package var containers: [String] = []
  package var pods: [Pod] = []
  package var sources: [String] = []
  package var minimumLevel: LogLevel?
  package var matches: [Match] = []
  package var since: Timestamp?
  package var until: Timestamp?

  package init() {}

  /// Whether every record is selected.
  package var isEverything: Bool {
    !usesOwner && sources.isEmpty && minimumLevel == nil && matches.isEmpty
      && since == nil && until == nil
  }
}

extension Selection {
  /// Whether a condition needs the owner of a record.
  package var usesOwner: Bool { !sandboxes.isEmpty || !containers.isEmpty || !pods.isEmpty }
}

extension Selection.Pod: CustomStringConvertible {
  /// The pod as it is given on the command line.
  package var description: String { namespace.map { "\($0)/\(name)" } ?? name }
}

extension Selection.Match: CustomStringConvertible {
  /// The condition as it is given on the command line.
  package var description: String {
    switch pattern {
    case .equals(let value): "\(key)=\(value)"
    case .matches(let expression): "\(key)~\(expression)"
    }
  }
}
