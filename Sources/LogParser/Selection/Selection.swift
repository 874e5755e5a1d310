import Bytes
import Logging

/// Which records are wanted. A record must pass each kind of condition that was given; of several conditions of the
/// kinds that name values, one must hold.
package struct Selection: Sendable {
  /// What a field must be.
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

  package var sandboxes: [String] = []
  package var containers: [String] = []
  package var sources: [String] = []
  package var minimumLevel: LogLevel?
  package var matches: [Match] = []
  package var since: Timestamp?
  package var until: Timestamp?

  package init() {}

  /// Whether every record is wanted.
  package var isEverything: Bool {
    sandboxes.isEmpty && containers.isEmpty && sources.isEmpty && minimumLevel == nil && matches.isEmpty
      && since == nil && until == nil
  }
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
