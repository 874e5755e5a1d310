import CLinux
import Glibc
import Logging
import System

/// The other end of ``SandboxWatch``: takes the sockets that the privileged half makes.
final class SandboxSockets: EventHandler, IdleHandler {
  private let file: FileDescriptor
  private unowned let receiver: AgentReceiver
  private let log: StructuredLog
  /// The listeners by the key that the privileged half has for each.
  private var listeners: [UInt64: (number: Int32, sandbox: String)] = [:]
  private var isPaused = false
  /// What ended the privileged half.
  private(set) var failure: SystemCallError?

  init(_ file: consuming FileDescriptor, _ receiver: AgentReceiver, _ log: StructuredLog) {
    self.file = file
    self.receiver = receiver
    self.log = log
  }

  var number: Int32 { file.number }

  func ready(_ events: EventLoop.Events) {
    while hasRoom() {
      switch DescriptorPassing.receive(number) {
      case .message(let text, let socket): take(text, socket)
      case .notReady: return
      case .ended:
        failure = SystemCallError("receive", "the privileged helper", code: EPIPE)
        return receiver.loop.remove(number)
      }
    }
  }

  /// Whether the process may open one more file: a message whose descriptor has no room would lose it.
  private func hasRoom() -> Bool {
    let probe = fcntl(number, F_DUPFD_CLOEXEC, 0)
    if probe >= 0 {
      _ = close(probe)
      return true
    }
    log.limited(
      .error, by: "sandboxes", "new new sandboxes wait: the process has too many open files",
      ["remedy": "raise LimitNOFILE= or ulimit -n"])
    receiver.loop.suspend(number)
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
      let listener = socket.number
      let origin = SpanOrigin(transport: .hybrid, sandbox: sandbox)
      guard receiver.listen(socket, origin) else { return }
      listeners[key] = (listener, sandbox)
      log.limited(.info, by: "sandbox \(sandbox)", "a sandbox appeared", ["sandbox": sandbox])
    } else if message.hasPrefix("-"), let listener = listeners.removeValue(forKey: key) {
      receiver.stopListening(listener.number)
      log.limited(
        .info, by: "sandbox \(listener.sandbox)", "a sandbox is gone", ["sandbox": listener.sandbox])
    }
  }

  func tick(_ now: Int) {
    if isPaused { isPaused = !receiver.loop.resume(number, .read) }
  }
}
