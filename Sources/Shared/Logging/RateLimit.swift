import System

/// Counts what is said on behalf of each of many peers, and tells when one has had its share of a minute.
package final class RateLimit: Sendable {
  private struct Allowance {
    var minute: UInt64
    var count = 0
    var suppressed = 0
  }

  private let allowances = Lock<[String: Allowance]>([:])
  private let perMinute: Int
  /// Peers that are remembered at most; beyond that all are forgotten, and each has its share again.
  private static let peerLimit = 4096

  package init(perMinute: Int) { self.perMinute = perMinute }

  /// Whether something may be said for a peer now: nil when not, else how many things were left out since the last that
  /// was said.
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
