import CLinux
import Glibc

/// Handles the events of a descriptor that it owns.
package protocol EventHandler: AnyObject {
  /// What an ``EventLoop`` waits for. It stays open, and the same file, while the loop has the handler: so its number can
  /// belong to no other handler.
  var file: FileDescriptor { get }
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

  /// A handler, and the turn in which it was added.
  private struct Entry {
    let handler: any EventHandler
    let turn: UInt64
  }

  private let file: FileDescriptor
  /// By identity, which is what epoll is given too. A descriptor's number would not do: once it is closed, the next file
  /// has it.
  private var entries: [UInt64: Entry] = [:]
  private var turn: UInt64 = 0
  private var isStopped = false
  package static let tickInterval = 100

  package init() throws(SystemCallError) {
    let number = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard number >= 0 else { throw SystemCallError("epoll_create1", "event loop") }
    file = FileDescriptor(owning: number)
  }

  /// Waits for the handler's file. The loop keeps the handler until it is removed.
  package func add(_ handler: any EventHandler, _ events: Events) throws(SystemCallError) {
    try control(EPOLL_CTL_ADD, handler, events)
    entries[Self.key(handler)] = Entry(handler: handler, turn: turn)
  }

  /// Waits for other events of a handler's file.
  package func change(_ handler: any EventHandler, _ events: Events) {
    guard has(handler) else { return }
    // It was added before, so only memory could lack; the tick tries again.
    try? control(EPOLL_CTL_MOD, handler, events)
  }

  /// Stops waiting for the handler's file, hang-ups included; the handler still gets its ticks.
  package func suspend(_ handler: any EventHandler) {
    if has(handler) { drop(handler) }
  }

  /// Waits for the file again; false if the kernel lacks the memory for that now, or if the handler was removed.
  package func resume(_ handler: any EventHandler, _ events: Events) -> Bool {
    has(handler) && (try? control(EPOLL_CTL_ADD, handler, events)) != nil
  }

  /// Lets go of the handler. One that was removed before is left alone.
  package func remove(_ handler: any EventHandler) {
    guard entries.removeValue(forKey: Self.key(handler)) != nil else { return }
    drop(handler)
  }

  private static func key(_ handler: any EventHandler) -> UInt64 {
    UInt64(UInt(bitPattern: ObjectIdentifier(handler)))
  }

  private func has(_ handler: any EventHandler) -> Bool { entries[Self.key(handler)] != nil }

  private func drop(_ handler: any EventHandler) {
    _ = epoll_ctl(file.number, EPOLL_CTL_DEL, Self.number(of: handler.file), nil)
  }

  /// Not inlined: Swift 6.3's optimizer fails on a field that is read of what a protocol's property lends.
  @inline(never)
  private static func number(of file: borrowing FileDescriptor) -> Int32 { file.number }

  private func control(
    _ operation: Int32, _ handler: any EventHandler, _ events: Events
  ) throws(SystemCallError) {
    var event = epoll_event()
    event.events = events.rawValue
    event.data.u64 = Self.key(handler)
    let number = Self.number(of: handler.file)
    guard epoll_ctl(file.number, operation, number, &event) == 0 else {
      throw SystemCallError("epoll_ctl", "descriptor \(number)")
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
        entries.values.contains { !($0.handler is IdleHandler) }
        ? max(0, nextTick - MonotonicClock.milliseconds) : 1000
      let count = epoll_wait(file.number, &events, Int32(events.count), Int32(pause))
      turn += 1
      for index in 0..<max(0, Int(count)) {
        // A handler may have removed another one in this turn, and one that was added since then can be where that one was.
        guard let entry = entries[events[index].data.u64], entry.turn < turn else { continue }
        entry.handler.ready(Events(rawValue: events[index].events))
      }
      let now = MonotonicClock.milliseconds
      if now >= nextTick {
        nextTick = now + Self.tickInterval
        for (key, entry) in entries where entries[key] != nil { entry.handler.tick(now) }
      }
      afterTurn()
    }
    entries.removeAll()
  }
}

/// A handler that needs no ticks.
package protocol IdleHandler {}
