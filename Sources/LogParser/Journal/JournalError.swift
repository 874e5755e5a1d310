import Glibc

/// Why the journal cannot be read, and what to do about it.
package struct JournalError: Error, CustomStringConvertible {
  package var description: String

  init(_ description: String) { self.description = description }

  /// For a call to libsystemd that returned a negative error number.
  init(_ subject: String, _ action: String, code: Int32) {
    switch -code {
    case EACCES, EPERM: self = .permission(subject)
    case ENOENT: self.init("\(subject): \(action): there is no such journal")
    case EBADMSG, EPROTONOSUPPORT, ENODATA:
      self.init("\(subject): \(action): not a journal file, or damaged; journalctl --verify shows details")
    default: self.init("\(subject): \(action): \(String(cString: strerror(-code)))")
    }
  }

  static func permission(_ subject: String) -> JournalError {
    JournalError(
      "\(subject): permission denied; run as root, or add your user to the group systemd-journal (usermod -aG systemd-journal USER) and log in again"
    )
  }
}
