/// The formats of `--input-format`; see `formats/`.
package enum InputFormat: String, CaseIterable, Sendable {
  /// Detected for each record.
  case auto
  case logfmt, json, export, syslog, journalctl, cri, docker, console, audit
}
