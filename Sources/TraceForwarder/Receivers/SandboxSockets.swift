import CLinux
import Glibc
import Logging
import System

/// The other end of ``SandboxWatch``: takes the sockets that the privileged half makes.
final class SandboxSockets: EventHandler, IdleHandler {
  let file: FileDescriptor
  private unowned let receiver: AgentReceiver
  private let log: StructuredLog
  /// The listeners by the key that the privileged half has for each.
  private var listeners: [UInt64: AgentListener] = [:]
  private var isPaused = false
  /// What ended the privileged half.
  private(set) var failure: SystemCallError?

  init(_ file: consuming FileDescriptor, _ receiver: AgentReceiver, _ log: StructuredLog) {
    self.file = file
    self.receiver = receiver
    self.log = log
  }

  func ready(_ events: EventLoop.Events) {
    while hasRoom() {
      switch DescriptorPassing.receive(file) {
      case .message(let text, let socket): take(text, socket)
      case .notReady: return
      case .ended:
        failure = SystemCallError("receive", "the privileged helper", code: EPIPE)
        return receiver.loop.remove(self)
      }
    }
  }

  /// Whether the process may open one more file: a message whose descriptor has no room would lose it.
  private func hasRoom() -> Bool {
    let probe = fcntl(file.number, F_DUPFD_CLOEXEC, 0)
    if probe >= 0 {
      _ = close(probe)
      return true
    }
    log.limited(
      .error, by: "sandboxes", "new new sandboxes wait: the process has too many open files",
      ["remedy": "raise LimitNOFILE= or ulimit -n"])
    receiver.loop.suspend(self)
    isPaused = true
    return false
  }

  private func take(_ message: String, _ socket: consuming FileDescriptor?) {
    let words = message.dropFirst().split(separator: " ")
    guard let key = words.first.flatMap({ UInt64($0) }) else { return }
    if message.hasPrefix("+"), words.count == 2 {
      let sandbox = String(words[1])
      guard let socket else {
        // Another thread was faster than ``hasRoom()`` could tell.
        return log.limited(
          .error, by: "sandboxes", "there is no listener for a sandbox: the process has too many open files",
          ["sandbox": sandbox, "remedy": "raise LimitNOFILE= or ulimit -n, and start the forwarder again"])
      }
      let origin = SpanOrigin(transport: .hybrid, sandbox: sandbox)
      guard let listener = receiver.listen(socket, origin) else { return }
      listeners[key] = listener
      log.limited(.info, by: "sandbox \(sandbox)", "a sandbox appeared", ["sandbox": sandbox])
    } else if message.hasPrefix("-"), let listener = listeners.removeValue(forKey: key) {
      receiver.stopListening(listener)
      let sandbox = listener.origin.sandbox ?? ""
      log.limited(.info, by: "sandbox \(sandbox)", "a sandbox is gone", ["sandbox": sandbox])
    }
  }

  func tick(_ now: Int) {
    if isPaused { isPaused = !receiver.loop.resume(self, .read) }
  }
}
