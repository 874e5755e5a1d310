import CommandLine
import Glibc
import System

/// The user's defaults from the configuration files (`lenient = true`, one setting per line) and the environment.
///
/// Later sources override earlier ones: the machine's file, the user's file, the environment, the command line.
struct Defaults {
  static let systemFile = "/etc/kata-log-parser.conf"
  static let variable = "KATA_LOG_PARSER_LENIENT"
  /// More than enough for a few settings.
  private static let sizeLimit = 64 << 10

  /// Whether the Go tool's output formats read leniently too; nil if no source sets it.
  private(set) var isLenient: Bool?

  /// Reads the files that exist, then the environment.
  static func read(_ environment: (String) -> String?) throws(UsageError) -> Defaults {
    var defaults = Defaults()
    for path in files(environment) {
      if let text = try contents(path) { try defaults.take(text, path) }
    }
    if let text = environment(variable), !text.isEmpty {
      guard let value = boolean(text) else {
        throw UsageError("\(variable) is \"\(text)\"; set it to 1 or 0, or unset it")
      }
      defaults.isLenient = value
    }
    return defaults
  }

  private static func files(_ environment: (String) -> String?) -> [String] {
    var folder = environment("XDG_CONFIG_HOME") ?? ""
    // The XDG specification says that relative paths are ignored.
    if !folder.hasPrefix("/") {
      let home = environment("HOME") ?? ""
      folder = home.hasPrefix("/") ? home + "/.config" : ""
    }
    return folder.isEmpty ? [systemFile] : [systemFile, folder + "/kata-log-parser.conf"]
  }

  /// The text of a file; nil if it does not exist.
  private static func contents(_ path: String) throws(UsageError) -> String? {
    do throws(SystemCallError) {
      let file = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
      return String(decoding: try file.bytes(at: 0, count: sizeLimit, subject: path), as: UTF8.self)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      // HOME may belong to another user, whose settings do not apply.
      if error.code == EACCES, path != systemFile { return nil }
      throw UsageError("\(error.description); make it readable, or remove it")
    }
  }

  /// Takes the settings of a file.
  mutating func take(_ text: String, _ path: String) throws(UsageError) {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let setting = Self.trimmed(line.prefix { $0 != "#" })
      if setting.isEmpty { continue }
      let place = "\(path):\(index + 1)"
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw UsageError("\(place): \"\(setting)\" is not of the form KEY = VALUE")
      }
      let (key, value) = (Self.trimmed(parts[0]), Self.trimmed(parts[1]))
      guard key == "lenient" else {
        throw UsageError("\(place): \"\(key)\" is not a known key; the only one is lenient")
      }
      guard let isLenient = Self.boolean(value) else {
        throw UsageError("\(place): \"\(value)\" is not a value of lenient; write true or false")
      }
      self.isLenient = isLenient
    }
  }

  private static func boolean(_ text: String) -> Bool? {
    switch text {
    case "1", "true", "yes": true
    case "0", "false", "no": false
    default: nil
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    func isBlank(_ character: Character) -> Bool {
      character == " " || character == "\t" || character == "\r"
    }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
