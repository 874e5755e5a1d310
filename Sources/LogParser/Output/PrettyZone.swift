import Bytes
import Glibc
import Synchronization

/// The zone of times in `pretty`: the same for all records, wherever they come from.
///
/// Threads share it. The offset of the last quarter of an hour is cached: zones change their offset only between
/// quarters.
final class PrettyZone: Sendable {
  private let isUTC: Bool
  /// The number of a quarter of an hour since 1970, and its offset in the lower 16 bits; all ones if nothing is cached.
  private let kept = Atomic<UInt64>(.max)

  init(isUTC: Bool) { self.isUTC = isUTC }

  /// The offset in minutes at a time.
  @inline(__always)
  func offset(_ time: Timestamp) -> Int16 {
    if isUTC { return 0 }
    let quarter = UInt64(bitPattern: time.seconds / 900) << 16
    let last = kept.load(ordering: .relaxed)
    if last & ~0xffff == quarter { return Int16(truncatingIfNeeded: last) }
    return look(up: time, quarter)
  }

  @inline(never)
  private func look(up time: Timestamp, _ quarter: UInt64) -> Int16 {
    let offset = Int16(clamping: Self.parts(time).tm_gmtoff / 60)
    kept.store(quarter | UInt64(UInt16(bitPattern: offset)), ordering: .relaxed)
    return offset
  }

  /// The zone at a time, as its abbreviation and its offset: `UTC`, `CET (+01:00)`.
  func name(at time: Timestamp) -> String {
    if isUTC { return "UTC" }
    let parts = Self.parts(time)
    let abbreviation = parts.tm_zone.map { String(cString: $0) } ?? ""
    let minutes = Int(parts.tm_gmtoff) / 60
    if minutes == 0, abbreviation == "UTC" || abbreviation == "GMT" { return "UTC" }
    let digits = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
    let offset =
      "\(minutes < 0 ? "-" : "+")\(digits(abs(minutes) / 60)):\(digits(abs(minutes) % 60))"
    // Zones without a name are named by their offset.
    return abbreviation.contains(where: \.isLetter) ? "\(abbreviation) (\(offset))" : offset
  }

  private static func parts(_ time: Timestamp) -> tm {
    var seconds = time_t(time.seconds)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return parts
  }
}
