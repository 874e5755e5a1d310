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
  /// The systemd unit, where it is not the program's name.
  var unit = ByteSlice.empty
  /// Seconds since the host's start, where that is all that is said of the time.
  var monotonic = ByteSlice.empty
  /// The pod and its container, as kubectl names them.
  var pod = ByteSlice.empty
  var podContainer = ByteSlice.empty
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

  /// What the kernel of the host logged, not that of a guest.
  var isHostKernel: Bool { identifier == "kernel" }

  /// Takes off the next wrapper, `inner`, whose words go before those of this one.
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
