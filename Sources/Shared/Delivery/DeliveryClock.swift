import System

/// The clock of a delivery, and how it waits; tests have their own.
package protocol DeliveryClock: Sendable {
  /// Milliseconds of a monotonic clock.
  var milliseconds: Int { get }
  /// Returns at the given time, or earlier when `wakeup` is raised.
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
