import Logging
import System

/// Warns that a followed file was truncated: at most once a second, with the number of times.
struct TruncationNotice {
  private var last: Int?
  private var untold = 0

  /// Counts a truncation, and warns unless it did so within the last second.
  mutating func note(_ name: String, _ diagnostics: Diagnostics) {
    untold += 1
    let now = MonotonicClock.milliseconds
    if let last, now - last < 1000 { return }
    let times = untold == 1 ? "" : " \(untold) times"
    diagnostics.warning(
      "\(name): truncated\(times) while it was followed; reading continues at its new start, and text written just before may be missing"
    )
    last = now
    untold = 0
  }
}
