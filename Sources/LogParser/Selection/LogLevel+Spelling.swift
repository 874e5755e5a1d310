import Logging

extension LogLevel {
  /// The level that a word means, in any logger's spelling and any case; nil for any other word.
  init?(spelling text: String) {
    switch text.lowercased() {
    case "trace", "trce", "trac": self = .trace
    case "debug", "debg", "debu", "dbg": self = .debug
    case "info", "information", "informational", "inf", "notice": self = .info
    case "warning", "warn", "wrn": self = .warning
    case "error", "erro", "err": self = .error
    case "critical", "crit", "fatal", "fata", "panic", "pani", "alert", "emergency", "emerg": self = .critical
    default: return nil
    }
  }
}
