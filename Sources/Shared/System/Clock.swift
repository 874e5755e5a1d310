import Glibc

/// The time since the machine was started.
package enum MonotonicClock {
  package static var nanoseconds: UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
  }

  package static var milliseconds: Int { Int(nanoseconds / 1_000_000) }
}

/// The time of day.
package enum WallClock {
  /// Nanoseconds since 1970.
  package static var nanoseconds: UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
  }
}
