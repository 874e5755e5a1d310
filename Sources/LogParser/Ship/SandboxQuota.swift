import Bytes

/// Limits the records of each sandbox: a guest that floods its console loses its own records, not its neighbours'.
///
/// Each sandbox has two token buckets, for records and for bytes, which fill at a steady rate. Records that find one
/// empty are dropped and counted. Once a second the counts are reported, so that the gap is marked in the stream.
/// Records that belong to no sandbox have no limit: programs of the host are trusted.
package struct SandboxQuota {
  /// What each sandbox may send.
  package struct Limits: Sendable, Equatable {
    /// 0 for no limit.
    package var recordsPerSecond = 2000
    /// 0 for no limit.
    package var bytesPerSecond = 2 << 20
    /// The burst size: the quota of this many seconds, which a sandbox may send at once after being quiet.
    package var burstSeconds = 10
    package init() {}
  }

  /// What was dropped of a sandbox since the last report.
  package struct Loss: Equatable {
    package var sandbox: [UInt8]
    package var records: UInt64
    package var bytes: UInt64
  }

  private struct Bucket {
    var records: Double
    var bytes: Double
    /// Milliseconds of the monotonic clock.
    var filled: Int
    var lost = (records: UInt64(0), bytes: UInt64(0))
    /// When a loss was last reported.
    var told: Int
  }

  /// The most sandboxes that are remembered. The one that was quiet for the longest time is forgotten first: its
  /// buckets were full, or all sandboxes are busy and it gets a new burst.
  private static let mostSandboxes = 4096
  /// Milliseconds between two reports about one sandbox.
  private static let noticeInterval = 1000

  private let limits: Limits
  private var buckets: [[UInt8]: Bucket] = [:]
  /// Sandboxes with losses that are not reported yet.
  private var losing: Set<[UInt8]> = []
  package private(set) var droppedRecords: UInt64 = 0
  package private(set) var droppedBytes: UInt64 = 0

  package init(_ limits: Limits) { self.limits = limits }

  /// Whether a record of a sandbox may be sent.
  ///
  /// - Parameters:
  ///   - sandbox: its id; empty for a record that belongs to none.
  ///   - bytes: the record's size.
  ///   - now: milliseconds of the monotonic clock.
  package mutating func admits(_ sandbox: ByteSlice, bytes: Int, now: Int) -> Bool {
    if sandbox.isEmpty || limits.recordsPerSecond == 0 && limits.bytesPerSecond == 0 { return true }
    let key = sandbox.array
    if buckets[key] == nil { makeRoom() }
    var bucket = buckets[key] ?? fullBucket(now)
    let isAdmitted = take(Double(bytes), from: &bucket, now)
    buckets[key] = bucket
    if isAdmitted { return true }
    droppedRecords += 1
    droppedBytes += UInt64(max(0, bytes))
    losing.insert(key)
    return false
  }

  private func take(_ bytes: Double, from bucket: inout Bucket, _ now: Int) -> Bool {
    let passed = Double(max(0, now - bucket.filled)) / 1000
    bucket.filled = max(now, bucket.filled)
    bucket.records = min(
      capacity(limits.recordsPerSecond), bucket.records + passed * Double(limits.recordsPerSecond))
    bucket.bytes = min(capacity(limits.bytesPerSecond), bucket.bytes + passed * Double(limits.bytesPerSecond))
    // A record that is larger than the whole bucket may be sent when the bucket is full.
    let needed = min(bytes, capacity(limits.bytesPerSecond))
    guard limits.recordsPerSecond == 0 || bucket.records >= 1,
      limits.bytesPerSecond == 0 || bucket.bytes >= needed
    else {
      bucket.lost.records += 1
      bucket.lost.bytes += UInt64(bytes)
      return false
    }
    bucket.records -= 1
    bucket.bytes -= needed
    return true
  }

  private func capacity(_ rate: Int) -> Double { Double(rate) * Double(limits.burstSeconds) }

  private func fullBucket(_ now: Int) -> Bucket {
    Bucket(
      records: capacity(limits.recordsPerSecond), bytes: capacity(limits.bytesPerSecond), filled: now,
      told: now - Self.noticeInterval)
  }

  /// If there are too many sandboxes, forgets the quarter that was quiet for the longest time. The totals still include
  /// their losses.
  private mutating func makeRoom() {
    guard buckets.count >= Self.mostSandboxes else { return }
    let oldest = buckets.map { (key: $0.key, filled: $0.value.filled) }.sorted { $0.filled < $1.filled }
    for (key, _) in oldest.prefix(Self.mostSandboxes / 4) {
      buckets[key] = nil
      losing.remove(key)
    }
  }

  /// The losses to report now, for each sandbox at most once a second.
  ///
  /// - Parameter isLast: whether this is the last report, which includes all losses.
  package mutating func takeLosses(now: Int, isLast: Bool = false) -> [Loss] {
    if losing.isEmpty { return [] }
    var losses: [Loss] = []
    for key in losing {
      guard var bucket = buckets[key] else {
        losing.remove(key)
        continue
      }
      guard isLast || now - bucket.told >= Self.noticeInterval else { continue }
      losses.append(Loss(sandbox: key, records: bucket.lost.records, bytes: bucket.lost.bytes))
      bucket.lost = (0, 0)
      bucket.told = now
      buckets[key] = bucket
      losing.remove(key)
    }
    return losses.sorted { $0.sandbox.lexicographicallyPrecedes($1.sandbox) }
  }
}
