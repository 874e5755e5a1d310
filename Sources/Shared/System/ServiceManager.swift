import CLinux
import Glibc

/// The protocol between a service and systemd: `sd_notify(3)` and `sd_listen_fds(3)`, by their documented environment.
package struct ServiceManager: Sendable {
  private let notifySocket: NotifySocket?
  /// The watchdog's timeout in microseconds; nil without a watchdog.
  package let watchdog: UInt64?

  package init() {
    notifySocket = Self.variable("NOTIFY_SOCKET").flatMap { NotifySocket($0) }
    let isOurs = Self.variable("WATCHDOG_PID").map { $0 == String(getpid()) } ?? true
    watchdog = isOurs ? Self.variable("WATCHDOG_USEC").flatMap(UInt64.init) : nil
  }

  package static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// Sends `READY=1`, `STOPPING=1`, `WATCHDOG=1` or `STATUS=…`; does nothing without a service manager.
  package func notify(_ state: String) { notifySocket?.send(state) }

  /// Hands over the sockets that systemd bound for this process, each with its name. Called once: later calls find none.
  package static func takeSockets<Failure: Error>(
    _ body: (consuming FileDescriptor, String) throws(Failure) -> Void
  ) throws(Failure) {
    guard variable("LISTEN_PID") == String(getpid()), let count = variable("LISTEN_FDS").flatMap(Int32.init),
      (1...64).contains(count)
    else { return }
    let names =
      variable("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      ?? []
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsetenv(name) }
    for index in 0..<count {
      let number = 3 + index
      _ = fcntl(number, F_SETFD, FD_CLOEXEC)
      _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
      try body(
        FileDescriptor(owning: number), names.indices.contains(Int(index)) ? names[Int(index)] : "")
    }
  }
}

/// The service manager's socket. It is kept open: the watchdog must be notified even when the process cannot open
/// another file.
private final class NotifySocket: Sendable {
  private let path: String
  private let file: FileDescriptor

  init?(_ path: String) {
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { return nil }
    file = FileDescriptor(owning: number)
    self.path = path
  }

  func send(_ state: String) {
    // Connects each time, as the manager may have created its socket again.
    guard kata_unix_socket(file.number, path, 1) == 0 else { return }
    _ = Array(state.utf8).withUnsafeBytes {
      Glibc.send(file.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }
}
