import CLinux
import Glibc

/// Signals that can be waited for, by default SIGINT and SIGTERM: from its creation on they neither end the process nor
/// interrupt a thread that is started later.
package struct StopSignals: ~Copyable, Sendable {
  /// Readable when a signal has come.
  package let file: FileDescriptor

  package init(_ numbers: [Int32] = [SIGINT, SIGTERM]) throws(SystemCallError) {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in numbers { sigaddset(&signals, number) }
    guard pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else {
      throw SystemCallError("sigprocmask", "signals")
    }
    let number = signalfd(-1, &signals, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
    guard number >= 0 else { throw SystemCallError("signalfd", "signals") }
    file = FileDescriptor(owning: number)
  }

  /// The signal that came first and was not taken yet; nil if there is none.
  package func next() -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(file.number, &info, size) == size ? Int32(bitPattern: info.ssi_signo) : nil
  }
}
