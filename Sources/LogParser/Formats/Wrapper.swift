import Basics

/// What a logger, a container runtime or the journal says about a record that it carries as text.
struct Wrapper {
  /// When it took the text.
  var time: Timestamp?
  var host = ByteSlice.empty
  /// The program's name: syslog's tag, the journal's identifier.
  var identifier = ByteSlice.empty
  var pid = 0
  /// The level in the runtime's words; empty when it says none.
  var level = ByteSlice.empty
  /// What the text came out of: `stdout` or `stderr`.
  var stream = ByteSlice.empty
  /// The text that is carried.
  var payload = ByteSlice.empty

  /// The level that a syslog severity, 0 to 7, stands for.
  static func level(ofSeverity severity: Int) -> ByteSlice {
    switch severity {
    case ...2: ByteSlice(padded: "critical                                ", count: 8)
    case 3: ByteSlice(padded: "error                                ", count: 5)
    case 4: ByteSlice(padded: "warning                                ", count: 7)
    case 5, 6: ByteSlice(padded: "info                                ", count: 4)
    default: ByteSlice(padded: "debug                                ", count: 5)
    }
  }
}
