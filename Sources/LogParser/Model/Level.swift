import Bytes

/// Severities in order, as the runtime names them.
package enum Level: Int, CaseIterable, Comparable, Sendable {
  case trace, debug, info, warning, error, critical

  package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }

  /// The name in the runtime's words.
  package var name: String { String(describing: self) }
}

extension Level {
  /// The level with this name, in the runtime's words, slog's or syslog's, in any case.
  package init?(name: ByteSlice) {
    guard name.count <= 9, !name.isEmpty else { return nil }
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
}
