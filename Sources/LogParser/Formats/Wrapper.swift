import Bytes

/// What a logger, a container runtime or the journal adds to a record that it carries as text.
struct Wrapper {
  /// When it received the text.
  var time: Timestamp?
  var host = ByteSlice.empty
  /// The program's name: syslog's tag, the journal's identifier.
  var identifier = ByteSlice.empty
  var pid = 0
  /// The runtime's name for the level; empty if there is none.
  var level = ByteSlice.empty
  /// The stream of the text: `stdout` or `stderr`.
  var stream = ByteSlice.empty
  /// The systemd unit, if it differs from the program's name.
  var unit = ByteSlice.empty
  /// Seconds since the host booted, if there is no other time.
  var monotonic = ByteSlice.empty
  /// The pod and its container, as kubectl names them.
  var pod = ByteSlice.empty
  var podContainer = ByteSlice.empty
  /// The carried text.
  var payload: ByteSlice

  /// A wrapper with only a payload.
  init(_ payload: ByteSlice = .empty) { self.payload = payload }

  /// The level of a syslog severity, 0 to 7.
  static func level(ofSeverity severity: Int) -> ByteSlice {
    switch severity {
    case ...2: LevelName.critical
    case 3: LevelName.error
    case 4: LevelName.warning
    case 5, 6: LevelName.info
    default: LevelName.debug
    }
  }

  /// Whether the host's kernel logged it, not a guest's.
  var isHostKernel: Bool { identifier == "kernel" }

  /// Adopts the next wrapper, `inner`, whose values override those of this one.
  mutating func unwrap(_ inner: Wrapper) {
    payload = inner.payload
    if let time = inner.time { self.time = time }
    if !inner.host.isEmpty { host = inner.host }
    if !inner.identifier.isEmpty { (identifier, pid) = (inner.identifier, inner.pid) }
    if !inner.level.isEmpty { level = inner.level }
    if !inner.stream.isEmpty { stream = inner.stream }
    if !inner.unit.isEmpty { unit = inner.unit }
    if !inner.monotonic.isEmpty { monotonic = inner.monotonic }
    if !inner.pod.isEmpty { (pod, podContainer) = (inner.pod, inner.podContainer) }
  }
}
