import CLinux
import Glibc

/// A user that the process can become.
package struct User: Sendable {
  package var name: String
  package var id: uid_t
  package var group: gid_t

  /// Nil if there is no such user; a number is treated as an id.
  package init?(_ name: String) {
    var record = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16 << 10)
    if let number = uid_t(name) {
      _ = getpwuid_r(number, &record, &buffer, buffer.count, &found)
    } else {
      _ = getpwnam_r(name, &record, &buffer, buffer.count, &found)
    }
    guard found != nil else { return nil }
    self.name = name
    id = record.pw_uid
    group = record.pw_gid
  }

  /// Gives up all of root's rights permanently. Call it while the process has one thread.
  package func become() throws(SystemCallError) {
    guard setgroups(0, nil) == 0, setgid(group) == 0, setuid(id) == 0 else {
      throw SystemCallError("become the user", name)
    }
    // They cannot be regained, and no other user may read guests' data from a core dump.
    if id != 0, setuid(0) == 0 { throw SystemCallError("give up root", name, code: EPERM) }
    guard kata_no_new_privileges() == 0 else { throw SystemCallError("prctl", name) }
  }
}
