/// The shapes that an input can have; see `formats/`.
package enum InputFormat: String, CaseIterable, Sendable {
  /// Found out record by record.
  case auto
  case logfmt, json, export, syslog, journalctl, cri, docker, console, audit
}
