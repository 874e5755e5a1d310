import CLinux
import Glibc

/// Handles the events of one descriptor of an ``EventLoop``.
package protocol EventHandler: AnyObject {
  /// The descriptor has something to read or room to write, or its peer is gone.
  func ready(_ events: EventLoop.Events)
  /// Called about ten times a second.
  func tick(_ now: Int)
}

/// Waits for many descriptors on one thread: epoll, level-triggered, so that a handler may leave data for the next turn
/// and all get their turn. It and its handlers belong to the thread that runs it.
package final class EventLoop {
  package struct Events: OptionSet {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let read = Events(rawValue: UInt32(EPOLLIN.rawValue))
    package static let write = Events(rawValue: UInt32(EPOLLOUT.rawValue))
    package static let gone = Events(rawValue: UInt32(EPOLLHUP.rawValue | EPOLLERR.rawValue))
  }

  private let file: FileDescriptor
  private var handlers: [Int32: EventHandler] = [:]
  private var isStopped = false
  package static let tickInterval = 100

  package init() throws(SystemCallError) {
    let number = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard number >= 0 else { throw SystemCallError("epoll_create1", "event loop") }
    file = FileDescriptor(owning: number)
  }

  package func add(_ descriptor: Int32, _ events: Events, _ handler: EventHandler) throws(SystemCallError) {
    try control(EPOLL_CTL_ADD, descriptor, events)
    handlers[descriptor] = handler
  }

  package func change(_ descriptor: Int32, _ events: Events) {
    // It was added before, so only a lack of memory can cause this; the tick tries again.
    try? control(EPOLL_CTL_MOD, descriptor, events)
  }

  /// Stops waiting for the descriptor, hang-ups included; the handler still gets its ticks.
  package func suspend(_ descriptor: Int32) { _ = epoll_ctl(file.number, EPOLL_CTL_DEL, descriptor, nil) }

  /// Waits for the descriptor again; false if the kernel lacks the memory for that now.
  package func resume(_ descriptor: Int32, _ events: Events) -> Bool {
    (try? control(EPOLL_CTL_ADD, descriptor, events)) != nil
  }

  /// Call it before the descriptor is closed.
  package func remove(_ descriptor: Int32) {
    _ = epoll_ctl(file.number, EPOLL_CTL_DEL, descriptor, nil)
    handlers[descriptor] = nil
  }

  private func control(_ operation: Int32, _ descriptor: Int32, _ events: Events) throws(SystemCallError) {
    var event = epoll_event()
    event.events = events.rawValue
    event.data.fd = descriptor
    guard epoll_ctl(file.number, operation, descriptor, &event) == 0 else {
      throw SystemCallError("epoll_ctl", "descriptor \(descriptor)")
    }
  }

  package func stop() { isStopped = true }

  /// Runs until ``stop()``, and calls `afterTurn` after each turn.
  package func run(afterTurn: () -> Void = {}) {
    var events = [epoll_event](repeating: epoll_event(), count: 64)
    var nextTick = MonotonicClock.milliseconds + Self.tickInterval
    while !isStopped {
      // An idle loop sleeps long: ticks are for connections with deadlines.
      let pause =
        handlers.values.contains { !($0 is IdleHandler) }
        ? max(0, nextTick - MonotonicClock.milliseconds) : 1000
      let count = epoll_wait(file.number, &events, Int32(events.count), Int32(pause))
      for index in 0..<max(0, Int(count)) {
        // A handler may have removed another one in this turn.
        handlers[events[index].data.fd]?.ready(Events(rawValue: events[index].events))
      }
      let now = MonotonicClock.milliseconds
      if now >= nextTick {
        nextTick = now + Self.tickInterval
        for handler in Array(handlers.values) { handler.tick(now) }
      }
      afterTurn()
    }
    handlers.removeAll()
  }
}

/// A handler that needs no ticks.
package protocol IdleHandler {}
