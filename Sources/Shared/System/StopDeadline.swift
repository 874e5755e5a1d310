import Synchronization

/// Deadline for shutdown: unset until the forwarder is asked to stop. Shared by the thread that works and the one that
/// stops it.
package final class StopDeadline: Sendable {
  /// Milliseconds of the monotonic clock.
  private let time = Atomic<Int>(.max)

  package init() {}

  package func set(_ milliseconds: Int) { time.store(milliseconds, ordering: .releasing) }

  /// Nil until a stop is requested.
  package var milliseconds: Int? {
    let time = time.load(ordering: .acquiring)
    return time == .max ? nil : time
  }

  package var isSet: Bool { milliseconds != nil }
  package var isOver: Bool { milliseconds.map { MonotonicClock.milliseconds >= $0 } ?? false }
}
