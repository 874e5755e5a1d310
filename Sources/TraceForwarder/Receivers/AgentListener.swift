import System

/// One socket that agents connect to.
final class AgentListener: EventHandler, IdleHandler {
  let file: FileDescriptor
  let origin: SpanOrigin
  private unowned let receiver: AgentReceiver
  private var isPaused = false

  init(_ file: consuming FileDescriptor, _ origin: SpanOrigin, _ receiver: AgentReceiver) {
    self.file = file
    self.origin = origin
    self.receiver = receiver
  }

  func ready(_ events: EventLoop.Events) { receiver.accept(self) }

  /// Accepts nothing until the next tick.
  func pause() {
    guard !isPaused else { return }
    receiver.loop.suspend(self)
    isPaused = true
  }

  func tick(_ now: Int) {
    if isPaused { isPaused = !receiver.loop.resume(self, .read) }
  }
}
