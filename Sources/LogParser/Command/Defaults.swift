import CommandLine
import Glibc
import System

/// The user's defaults from the configuration files (`lenient = true`, one setting per line) and the environment.
///
/// Later sources override earlier ones: the machine's file, the user's file, the environment, the command line.
struct Defaults {
  static let systemFile = "/etc/kata-log-parser.conf"
  static let variable = "KATA_LOG_PARSER_LENIENT"
  /// Whether the formats of the existing tool are read leniently too; nil where nothing says so.
  private(set) var isLenient: Bool?

  /// Reads the files that exist, then the environment.
  static func read(_ environment: (String) -> String?) throws(UsageError) -> Defaults {
    var defaults = Defaults()
    for path in files(environment) {
      if let text = try contents(path) { try defaults.take(text, path) }
    }
    if let text = environment(variable), !text.isEmpty {
      guard let value = SettingsFile.boolean(text) else {
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
      return try SettingsFile.contents(path)
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return nil }
      // HOME may belong to another user, whose settings do not apply.
      if error.code == EACCES, path != systemFile { return nil }
      throw UsageError("\(error.description); make it readable, or remove it")
    }
  }

  /// Takes the settings of a file.
  mutating func take(_ text: String, _ path: String) throws(UsageError) {
    for setting in try SettingsFile(text, path: path).settings {
      guard setting.section.isEmpty, setting.key == "lenient" else {
        throw UsageError("\(setting.place): unknown key \"\(setting.key)\"; the only key is lenient")
      }
      guard let isLenient = SettingsFile.boolean(setting.value) else {
        throw UsageError(
          "\(setting.place): \"\(setting.value)\" is not a value of lenient; write true or false")
      }
      self.isLenient = isLenient
    }
  }
}
