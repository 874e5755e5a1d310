import System

/// The time that a delivery goes by, and its waiting; a test has its own.
package protocol DeliveryClock: Sendable {
  /// Milliseconds of a clock that is never set.
  var milliseconds: Int { get }
  /// Returns at a time, or when `wakeup` is raised before.
  func wait(for wakeup: Wakeup?, until time: Int)
}

/// The machine's clock.
package struct SystemClock: DeliveryClock {
  package init() {}
  package var milliseconds: Int { MonotonicClock.milliseconds }
  package func wait(for wakeup: Wakeup?, until time: Int) {
    wakeup?.wait(milliseconds: max(0, min(time - milliseconds, 3_600_000)))
  }
}
