import Glibc

/// The offsets of this machine's zone from UTC, or of the one that TZ or `--timezone` names.
///
/// They are read from libc once: its mktime checks /etc/localtime on every call, which took most of the time of
/// reading journalctl's text. mktime is still used for years that the table does not cover.
struct LocalZone: Sendable {
  /// The zone of the process, looked up when it is first needed.
  static let current = LocalZone()

  /// From the start of 1970 to that of 2070, in seconds since 1970. No offset is in effect for less than the step.
  private static let range: Range<Int64> = 0..<3_155_760_000
  private static let step: Int64 = 10 * 86_400

  /// When each offset takes effect, in seconds since 1970.
  private let starts: [Int64]
  /// In seconds east of UTC.
  private let offsets: [Int64]

  private init() {
    tzset()
    var starts = [Self.range.lowerBound]
    var offsets = [Self.offset(at: Self.range.lowerBound)]
    var probe = Self.range.lowerBound
    while probe + Self.step < Self.range.upperBound {
      let next = probe + Self.step
      let offset = Self.offset(at: next)
      if offset != offsets[offsets.count - 1] {
        starts.append(Self.change(between: probe, and: next))
        offsets.append(offset)
      }
      probe = next
    }
    self.starts = starts
    self.offsets = offsets
  }

  private static func offset(at seconds: Int64) -> Int64 {
    var time = time_t(seconds)
    var parts = tm()
    guard localtime_r(&time, &parts) != nil else { return 0 }
    return Int64(parts.tm_gmtoff)
  }

  /// The first second of the offset that is in effect at `last` but not at `first`.
  private static func change(between first: Int64, and last: Int64) -> Int64 {
    let target = offset(at: last)
    var (low, high) = (first, last)
    while high - low > 1 {
      let middle = (low + high) / 2
      if offset(at: middle) == target { high = middle } else { low = middle }
    }
    return high
  }

  /// An instant, and the zone's offset at that time in seconds.
  struct Instant {
    var seconds: Int64
    var offset: Int64
  }

  /// The instants at which the zone's clocks show `local`, which is in seconds since 1970 as if it were UTC: two in an
  /// hour that occurs twice. In a skipped hour, it is the one by the offset before.
  func instants(showing local: Int64) -> (first: Instant, second: Instant?)? {
    let margin: Int64 = 2 * 86_400
    guard Self.range.contains(local - margin), Self.range.contains(local + margin) else { return nil }
    var index = place(of: local - 86_400)
    let before = offsets[index]
    var first: Instant?
    while index < starts.count, starts[index] <= local + 86_400 {
      let seconds = local - offsets[index]
      let end = index + 1 < starts.count ? starts[index + 1] : Int64.max
      if seconds >= starts[index], seconds < end {
        let found = Instant(seconds: seconds, offset: offsets[index])
        if let first { return (first, found) }
        first = found
      }
      index += 1
    }
    return (first ?? Instant(seconds: local - before, offset: before), nil)
  }

  /// The index of the offset that is in effect at `seconds`.
  private func place(of seconds: Int64) -> Int {
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= seconds { low = middle } else { high = middle }
    }
    return low
  }
}
