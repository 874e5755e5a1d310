import Glibc
import System

/// A file of settings as many Linux services have them: a line `KEY = VALUE` each, under headings in brackets, with `#`
/// before comments. Values are taken as they stand; a `#` within one begins a comment only behind a blank.
package struct SettingsFile {
  /// One setting, and where it stands.
  package struct Setting: Sendable, Equatable {
    /// The heading above it, without brackets; empty before the first one.
    package var section: String
    package var key: String
    package var value: String
    /// `PATH:LINE`, for messages.
    package var place: String
  }

  /// A file of settings is no larger.
  private static let sizeLimit = 256 << 10

  package let settings: [Setting]

  /// Reads a file.
  ///
  /// - Throws: the system's error where it cannot be read, and `EFBIG` where it is too long to be a file of settings.
  package static func contents(_ path: String) throws(SystemCallError) -> String {
    let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
    let bytes = try file.bytes(at: 0, count: sizeLimit + 1, subject: path)
    guard bytes.count <= sizeLimit else { throw SystemCallError("read", path, code: EFBIG) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Takes the settings out of a file's text.
  ///
  /// - Parameter path: what messages call the file.
  /// - Throws: the first line that is no setting, no heading and no comment, with its number.
  package init(_ text: String, path: String) throws(UsageError) {
    var settings: [Setting] = []
    var section = ""
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let line = Self.trimmed(Self.withoutComment(line))
      if line.isEmpty { continue }
      let place = "\(path):\(index + 1)"
      if line.hasPrefix("[") {
        guard line.hasSuffix("]"), line.count > 2 else {
          throw UsageError("\(place): the heading \"\(line)\" has no closing bracket")
        }
        section = Self.trimmed(line.dropFirst().dropLast())
        continue
      }
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !Self.trimmed(parts[0]).isEmpty else {
        throw UsageError("\(place): \"\(line)\" is not of the form KEY = VALUE")
      }
      settings.append(
        Setting(section: section, key: Self.trimmed(parts[0]), value: Self.trimmed(parts[1]), place: place))
    }
    self.settings = settings
  }

  /// The text as a truth value: `true`, `yes`, `1`, `false`, `no` or `0`; nil for any other.
  package static func boolean(_ text: String) -> Bool? {
    switch text {
    case "1", "true", "yes": true
    case "0", "false", "no": false
    default: nil
    }
  }

  private static func withoutComment(_ line: Substring) -> Substring {
    var isBehindBlank = true
    for index in line.indices {
      if line[index] == "#", isBehindBlank { return line[..<index] }
      isBehindBlank = line[index] == " " || line[index] == "\t"
    }
    return line
  }

  private static func trimmed(_ text: Substring) -> String {
    func isBlank(_ character: Character) -> Bool {
      character == " " || character == "\t"
    }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}

extension SettingsFile {
  fileprivate static func trimmed(_ text: String) -> String { trimmed(text[...]) }
}
