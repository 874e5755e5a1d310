import CLinux
import Glibc

/// Something that one thread waits for and others raise: an eventfd.
package final class Wakeup: Sendable {
  package let file: FileDescriptor

  package init() throws(SystemCallError) {
    let number = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard number >= 0 else { throw SystemCallError("eventfd", "wakeup") }
    file = FileDescriptor(owning: number)
  }

  package func raise() {
    var one: UInt64 = 1
    _ = write(file.number, &one, 8)
  }

  /// Takes back what was raised.
  package func clear() {
    var count: UInt64 = 0
    _ = read(file.number, &count, 8)
  }

  /// Waits until it is raised or the wait times out; a negative time waits forever.
  package func wait(milliseconds: Int) {
    var entry = pollfd(fd: file.number, events: Int16(POLLIN), revents: 0)
    _ = poll(&entry, 1, Int32(clamping: milliseconds))
    clear()
  }
}
