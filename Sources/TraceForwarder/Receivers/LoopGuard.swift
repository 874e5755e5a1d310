import Glibc
import HTTP
import System
import Tracing

/// Recognises spans that come back to the forwarder that sent them.
///
/// A request that arrives straight from an own exporter, such as through a proxy or under a name that the check at the
/// start could not resolve, carries this forwarder's mark. It is refused, so that its spans stay in the spool. What
/// lies between may drop the mark, as a collector that sends to this forwarder does: so the spans that the host's
/// receivers took lately are remembered, and one that comes a second time is dropped. The collector has it.
///
/// Ids alone are not enough: guests know ids of the runtime's spans and could cause those to be dropped. Nobody knows
/// the end of a span in advance.
struct LoopGuard {
  /// The header of requests that names the forwarder that sends them.
  static let header = "Kata-Forwarder-Id"
  /// The number of remembered spans per generation, of which there are two, and its maximum age in milliseconds.
  static let generationSpans = 128 << 10
  static let generationAge = 300_000

  /// A mark that differs in each run.
  static func makeMark() -> String {
    var generator = SystemRandomNumberGenerator()
    return SpanID(generator.next()).description + SpanID(generator.next()).description
  }

  let mark: String
  /// Whether any exporter sends to something that may send on.
  let remembersSpans: Bool
  private var recent = KeySet()
  private var older = KeySet()
  private var pending: [UInt64] = []
  private var began = MonotonicClock.milliseconds

  init(mark: String, remembersSpans: Bool) {
    self.mark = mark
    self.remembersSpans = remembersSpans
  }

  /// Whether an own exporter sent the request.
  func isOwn(_ request: HTTPRequest) -> Bool { request.header(Self.header.lowercased()) == mark }

  /// Whether a span was remembered; if not it is, once ``commit()`` says that its request was taken.
  mutating func hasSeen(_ span: borrowing Span) -> Bool {
    guard remembersSpans else { return false }
    let key = Self.key(span)
    if recent.contains(key) || older.contains(key) { return true }
    pending.append(key)
    return false
  }

  /// Forgets the spans of a request that was not taken.
  mutating func discard() { pending.removeAll(keepingCapacity: pending.capacity < 1 << 16) }

  mutating func commit() {
    guard !pending.isEmpty else { return }
    let now = MonotonicClock.milliseconds
    if recent.count >= Self.generationSpans || now - began > Self.generationAge {
      older = now - began > 2 * Self.generationAge ? KeySet() : recent
      recent = KeySet()
      began = now
    }
    for key in pending { recent.insert(key) }
    discard()
  }

  /// Microseconds, because Jaeger's formats have no finer times.
  private static func key(_ span: borrowing Span) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(span.traceID)
    hasher.combine(span.spanID)
    hasher.combine(span.start / 1000)
    hasher.combine(span.end / 1000)
    let name = span.name
    let start = Int(name.offset)
    span.text.withPart(start..<start + Int(name.count)) { hasher.combine(bytes: $0) }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
