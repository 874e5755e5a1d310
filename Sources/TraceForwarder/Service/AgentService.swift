import HTTP
import Logging
import System

/// Receives the agents on one thread: fixed sockets, and those of sandboxes that come and go.
final class AgentService: LoopService {
  private let receiver: AgentReceiver
  private let sandboxes: SandboxSockets?

  init(
    _ receiver: AgentReceiver, listeners: [ListeningSockets.Agent], helper: BoundSocket?, log: StructuredLog
  ) throws(SystemCallError) {
    self.receiver = receiver
    for listener in listeners {
      if let file = listener.socket.take() { receiver.listen(file, listener.origin) }
    }
    guard let file = helper?.take() else {
      sandboxes = nil
      return
    }
    let sandboxes = SandboxSockets(file, receiver, log)
    self.sandboxes = sandboxes
    try receiver.loop.add(sandboxes, .read)
  }

  var failure: SystemCallError? { sandboxes?.failure }

  func beginStop() {
    if let sandboxes { receiver.loop.remove(sandboxes) }
    receiver.beginDraining()
  }

  var isStopped: Bool { receiver.connections.isEmpty }

  func finish() { receiver.finish() }
}
