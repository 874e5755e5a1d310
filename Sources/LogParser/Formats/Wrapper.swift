import Bytes

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
  var payload: ByteSlice

  /// A wrapper that says nothing of what it carries yet.
  init(_ payload: ByteSlice = .empty) { self.payload = payload }

  /// The level that a syslog severity, 0 to 7, stands for.
  static func level(ofSeverity severity: Int) -> ByteSlice {
    switch severity {
    case ...2: LevelName.critical
    case 3: LevelName.error
    case 4: LevelName.warning
    case 5, 6: LevelName.info
    default: LevelName.debug
    }
  }
}
