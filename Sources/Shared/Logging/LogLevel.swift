import Bytes

/// The severity of a log line, in ascending order, as written by the forwarder and read by the log parser. The names
/// are the runtime's; `critical` includes syslog's critical, alert and emergency, and Go's fatal and panic.
public enum LogLevel: Int, CaseIterable, Comparable, Sendable {
  case trace, debug, info, warning, error, critical

  @inlinable public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }

  /// The name of the level in logs and as an option's value.
  package var name: String {
    switch self {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    case .critical: "critical"
    }
  }

  /// The level with this name of the runtime, slog or syslog, in any case.
  public init?(name: ByteSlice) {
    guard name.count <= 9, !name.isEmpty else { return nil }
    // The first four letters distinguish the names, so a record costs one integer comparison.
    var word: UInt64 = 0
    for index in 0..<min(4, name.count) { word = word << 8 | UInt64(name[index] | 0x20) }
    switch word {
    case 0x7472_6163, 0x7472_6365: self = .trace
    case 0x6465_6275, 0x6465_6267: self = .debug
    case 0x696e_666f, 0x6e6f_7469: self = .info
    case 0x7761_726e: self = .warning
    case 0x6572_726f, 0x65_7272: self = .error
    case 0x6372_6974, 0x6661_7461, 0x7061_6e69, 0x616c_6572, 0x656d_6572: self = .critical
    default: return nil
    }
  }

  /// The level with exactly this name, or with `warn`, as people shorten it.
  package init?(option text: String) {
    guard let level = text == "warn" ? .warning : Self.allCases.first(where: { $0.name == text }) else {
      return nil
    }
    self = level
  }
}
