import Glibc

/// A moment by the clock that only goes forward.
package struct MonotonicTime: Sendable {
  package var nanoseconds: UInt64

  package static var now: MonotonicTime {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return MonotonicTime(
      nanoseconds: UInt64(max(0, now.tv_sec)) &* 1_000_000_000 &+ UInt64(max(0, now.tv_nsec)))
  }

  package var milliseconds: UInt64 { nanoseconds / 1_000_000 }
}
