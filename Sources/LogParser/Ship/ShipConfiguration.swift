import CommandLine
import System

/// What `kata-log-parser ship` reads, where it sends it, and its limits. See `formats/ship`.
package struct ShipConfiguration: Sendable, Equatable {
  // MARK: [receiver]

  /// URLs of the receivers, in order of preference.
  package var endpoints: [String] = []
  /// The tag of records that are sent over the Forward protocol.
  package var tag = "kata-containers"
  package var sharedKeyFile: String?
  package var user: String?
  package var passwordFile: String?
  /// A file of HTTP header lines, for OTLP.
  package var headerFile: String?
  package var compresses = false
  /// Whether each chunk must be acknowledged; without that, records are delivered at most once.
  package var waitsForAcknowledgement = true
  /// Milliseconds.
  package var acknowledgementTimeout = 30_000
  /// Whether secrets are removed before records leave the node.
  package var redacts = true

  // MARK: [journal]

  package var readsJournal = true
  package var identifiers = ["kata", "containerd", "crio", "kubelet"]
  package var units: [String] = []
  /// A directory of journal files to read instead of this machine's journal.
  package var journalDirectory: String?

  // MARK: [files]

  /// Paths of files and directories; `*` and `?` stand for parts of names.
  package var paths: [String] = []
  /// How many files are open at once.
  package var fileLimit = 256
  /// The longest record in bytes.
  package var recordLimit = 256 << 10

  // MARK: [limits]

  package var quota = SandboxQuota.Limits()

  // MARK: [service]

  package var stateDirectory = "/var/lib/kata-log-parser"
  /// The address that serves `/metrics`, `/healthz` and `/readyz`; nil for none.
  package var statusAddress: SocketAddress? = SocketAddress(host: "127.0.0.1", port: 9465)
  package var logLevel = "info"
  /// Milliseconds that a stop has to deliver what was read.
  package var stopTimeout = 10_000

  package init() {}
}

extension ShipConfiguration {
  /// Reads a configuration file.
  ///
  /// - Throws: what is wrong with it, with path and line.
  package static func read(_ path: String) throws(UsageError) -> ShipConfiguration {
    let text: String
    do throws(SystemCallError) {
      text = try SettingsFile.contents(path)
    } catch {
      throw UsageError(error.description)
    }
    return try ShipConfiguration(text, path: path)
  }

  /// Parses the text of a configuration file.
  package init(_ text: String, path: String) throws(UsageError) {
    self.init()
    var seen: Set<String> = []
    for setting in try SettingsFile(text, path: path).settings {
      guard let key = ShipKey.all.first(where: { $0.section == setting.section && $0.name == setting.key })
      else { throw Self.unknown(setting) }
      // The first of a list replaces the default.
      let isFirst = seen.insert("\(setting.section).\(setting.key)").inserted
      guard isFirst || key.isRepeatable else {
        throw UsageError("\(setting.place): \(setting.key) is already set; remove one of the two lines")
      }
      do throws(UsageError) {
        try key.apply(&self, setting.value, isFirst)
      } catch {
        throw UsageError("\(setting.place): \(setting.key): \(error.message)")
      }
    }
    try check(path)
  }

  private static func unknown(_ setting: SettingsFile.Setting) -> UsageError {
    let sections = ShipKey.sections
    guard sections.contains(setting.section) else {
      let heading = setting.section.isEmpty ? "no heading" : "the heading [\(setting.section)]"
      return UsageError(
        "\(setting.place): \"\(setting.key)\" is under \(heading); the headings are \(sections.map { "[\($0)]" }.joined(separator: ", "))"
      )
    }
    let known = ShipKey.all.filter { $0.section == setting.section }.map(\.name)
    return UsageError(
      "\(setting.place): unknown key \"\(setting.key)\" in [\(setting.section)]; the keys are \(known.joined(separator: ", "))"
    )
  }

  private func check(_ path: String) throws(UsageError) {
    if endpoints.isEmpty {
      throw UsageError(
        "\(path): no receiver is configured: under [receiver], set endpoint = tcp://HOST:24224 or http://HOST:4318"
      )
    }
    if !readsJournal, paths.isEmpty {
      throw UsageError(
        "\(path): no input is configured: set read = yes under [journal], or path under [files]")
    }
    if passwordFile != nil, user == nil {
      throw UsageError("\(path): password-file is set without user; set both under [receiver]")
    }
  }
}

/// A key of the configuration file: its heading, its values and what it sets.
struct ShipKey: Sendable {
  let section: String
  let name: String
  let isRepeatable: Bool
  /// Sets the value; the last parameter says whether it is the key's first.
  let apply: @Sendable (inout ShipConfiguration, String, Bool) throws(UsageError) -> Void

  /// The headings, in the order of the documentation.
  static let sections = ["receiver", "journal", "files", "limits", "service"]

  static let all: [ShipKey] = receiver + journal + files + limits + service

  private static let receiver: [ShipKey] = [
    list("receiver", "endpoint", \.endpoints),
    text("receiver", "tag", \.tag),
    path("receiver", "shared-key-file", \.sharedKeyFile),
    ShipKey("receiver", "user") { $0.user = $1 },
    path("receiver", "password-file", \.passwordFile),
    path("receiver", "header-file", \.headerFile),
    flag("receiver", "gzip", \.compresses),
    flag("receiver", "acknowledge", \.waitsForAcknowledgement),
    milliseconds("receiver", "ack-timeout", \.acknowledgementTimeout, atLeast: 100),
    flag("receiver", "redact", \.redacts),
  ]

  private static let journal: [ShipKey] = [
    flag("journal", "read", \.readsJournal),
    list("journal", "identifier", \.identifiers),
    list("journal", "unit", \.units),
    path("journal", "directory", \.journalDirectory),
  ]

  private static let files: [ShipKey] = [
    list("files", "path", \.paths),
    number("files", "max-files", \.fileLimit, 1...4096),
    size("files", "max-record-size", \.recordLimit, 1 << 10...1 << 20),
  ]

  private static let limits: [ShipKey] = [
    number("limits", "sandbox-records", \.quota.recordsPerSecond, 0...10_000_000),
    size("limits", "sandbox-bytes", \.quota.bytesPerSecond, 0...1 << 30),
    number("limits", "sandbox-burst", \.quota.burstSeconds, 1...3600),
  ]

  private static let service: [ShipKey] = [
    text("service", "state-directory", \.stateDirectory),
    ShipKey("service", "status-address") { configuration, value throws(UsageError) in
      guard value != "off" else {
        configuration.statusAddress = nil
        return
      }
      guard let address = SocketAddress(value) else {
        throw UsageError("\"\(value)\" is not an address such as 127.0.0.1:9465, or off")
      }
      configuration.statusAddress = address
    },
    ShipKey("service", "log-level") { configuration, value throws(UsageError) in
      guard ["debug", "info", "warning", "error"].contains(value) else {
        throw UsageError("\"\(value)\" is not debug, info, warning or error")
      }
      configuration.logLevel = value
    },
    milliseconds("service", "stop-timeout", \.stopTimeout),
  ]

  private init(
    _ section: String, _ name: String, isRepeatable: Bool = false,
    _ apply: @escaping @Sendable (inout ShipConfiguration, String, Bool) throws(UsageError) -> Void
  ) {
    self.section = section
    self.name = name
    self.isRepeatable = isRepeatable
    self.apply = apply
  }

  private init(
    _ section: String, _ name: String,
    _ set: @escaping @Sendable (inout ShipConfiguration, String) throws(UsageError) -> Void
  ) {
    self.init(section, name) { configuration, value, _ throws(UsageError) in try set(&configuration, value) }
  }
}

extension ShipKey {
  private typealias Path<Value> = WritableKeyPath<ShipConfiguration, Value> & Sendable

  private static func text(_ section: String, _ name: String, _ path: Path<String>) -> ShipKey {
    ShipKey(section, name) { configuration, value throws(UsageError) in
      if value.isEmpty { throw UsageError("the value is empty") }
      configuration[keyPath: path] = value
    }
  }

  private static func path(_ section: String, _ name: String, _ path: Path<String?>) -> ShipKey {
    ShipKey(section, name) { configuration, value throws(UsageError) in
      guard value.hasPrefix("/") else { throw UsageError("\"\(value)\" is not an absolute path") }
      configuration[keyPath: path] = value
    }
  }

  /// A key that may be repeated, each time with one or more values separated by blanks or commas.
  private static func list(_ section: String, _ name: String, _ path: Path<[String]>) -> ShipKey {
    ShipKey(section, name, isRepeatable: true) { configuration, value, isFirst throws(UsageError) in
      if isFirst { configuration[keyPath: path] = [] }
      configuration[keyPath: path] += value.split { $0 == "," || $0 == " " || $0 == "\t" }.map(String.init)
    }
  }

  private static func flag(_ section: String, _ name: String, _ path: Path<Bool>) -> ShipKey {
    ShipKey(section, name) { configuration, value throws(UsageError) in
      guard let flag = SettingsFile.boolean(value) else { throw UsageError("\"\(value)\" is not yes or no") }
      configuration[keyPath: path] = flag
    }
  }

  private static func number(
    _ section: String, _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>
  ) -> ShipKey {
    ShipKey(section, name) { configuration, value throws(UsageError) in
      configuration[keyPath: path] = try FlagValue.number(value, range)
    }
  }

  private static func size(
    _ section: String, _ name: String, _ path: Path<Int>, _ range: ClosedRange<Int>
  ) -> ShipKey {
    ShipKey(section, name) { configuration, value throws(UsageError) in
      configuration[keyPath: path] = try FlagValue.size(value, range)
    }
  }

  private static func milliseconds(
    _ section: String, _ name: String, _ path: Path<Int>, atLeast least: Int = 0
  ) -> ShipKey {
    ShipKey(section, name) { configuration, value throws(UsageError) in
      let milliseconds = Int(try FlagValue.duration(value) / 1_000_000)
      guard milliseconds >= least else { throw UsageError("\"\(value)\" is less than \(least)ms") }
      configuration[keyPath: path] = milliseconds
    }
  }
}
