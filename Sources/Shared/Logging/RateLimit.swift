import System

/// Limits the number of messages a minute for each peer.
package final class RateLimit: Sendable {
  private struct Allowance {
    var minute: UInt64
    var count = 0
    var suppressed = 0
  }

  private let allowances = Lock<[String: Allowance]>([:])
  private let perMinute: Int
  /// The most peers that are remembered; beyond that all are forgotten, and each has its full share again.
  private static let peerLimit = 4096

  package init(perMinute: Int) { self.perMinute = perMinute }

  /// Whether a message for a peer may be written now: nil if not, else how many were omitted since the last one that
  /// was written.
  ///
  /// - Parameter now: nanoseconds of a clock that never goes back.
  package func admit(_ peer: String, now: UInt64) -> Int? {
    let minute = now / 60_000_000_000
    return allowances.withLock { allowances in
      if allowances.count > Self.peerLimit { allowances.removeAll() }
      var allowance = allowances[peer] ?? Allowance(minute: minute)
      defer { allowances[peer] = allowance }
      if allowance.minute != minute {
        let suppressed = allowance.suppressed
        allowance = Allowance(minute: minute, count: 1)
        return suppressed
      }
      allowance.count += 1
      if allowance.count <= perMinute { return 0 }
      allowance.suppressed += 1
      return nil
    }
  }
}
