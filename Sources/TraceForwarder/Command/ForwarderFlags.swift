import CommandLine
import System

/// All options of `kata-trace-forwarder`.
enum ForwarderFlags {
  typealias Settings = ForwarderSettings

  static var all: [Flag<Settings>] {
    receivers + exporters + files + query + spool + spoolCommand + limits + service
      + CommandRequest.flags(\.request, in: "Other")
  }

  // MARK: Values

  /// An address to listen on; nil for `off`.
  static func listener(_ text: String) throws(UsageError) -> SocketAddress? {
    if text == "off" { return nil }
    return try address(text)
  }

  static func address(_ text: String) throws(UsageError) -> SocketAddress {
    guard let address = SocketAddress(text) else {
      throw UsageError(
        "\"\(text)\" is not an address: it must be HOST:PORT, [IPv6]:PORT or :PORT with a port from 0 to 65535"
      )
    }
    return address
  }

  static func milliseconds(_ text: String, days: Int = 1) throws(UsageError) -> Int {
    Int(try FlagValue.duration(text, days: days) / 1_000_000)
  }

  static func seconds(_ text: String) throws(UsageError) -> Int {
    try milliseconds(text, days: 3650) / 1000
  }

  /// A size, 0 being no limit.
  static func sizeOrNone(_ text: String) throws(UsageError) -> Int { try FlagValue.size(text, 0...1 << 50) }

  static func count(_ text: String) throws(UsageError) -> Int {
    try FlagValue.number(text, 0...1_000_000_000)
  }
}
