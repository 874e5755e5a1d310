import CLinux
import Glibc

/// SIGINT and SIGTERM as something to wait for: from its creation on they do not end the process.
package struct StopSignals: ~Copyable, Sendable {
  /// Readable when a signal has come.
  package let file: FileDescriptor

  package init() throws(SystemCallError) {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    guard pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else {
      throw SystemCallError("sigprocmask", "signals")
    }
    let number = signalfd(-1, &signals, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard number >= 0 else { throw SystemCallError("signalfd", "signals") }
    file = FileDescriptor(owning: number)
  }
}
