import Glibc
import System
import Tracing

/// Limits on the cost of one answer, so that no request uses up the memory or the time for all others.
struct AnswerLimits {
  /// Spans that are read to find what is asked for.
  var spans = 100_000
  /// Bytes of their records.
  var recordBytes = 64 << 20
  /// Bytes of the answer.
  var bytes = 32 << 20
}

/// Reads spans one by one from where they are, in the spool's segments or in memory. One belongs to one request.
final class SpanReader {
  private let spool: Spool?
  let limits: AnswerLimits
  private var file: FileDescriptor?
  private var segment: UInt64 = 0
  private var framing = SegmentFraming.version1
  /// A piece of the segment, from `start` on.
  private var window: [UInt8] = []
  private var start = 0
  private var span = Span()
  private var spansRead = 0
  private var bytesRead = 0

  private static let windowBytes = 32 << 10

  init(_ spool: Spool, _ limits: AnswerLimits = AnswerLimits()) {
    self.spool = spool
    self.limits = limits
  }

  /// - Parameter records: as they are in a segment of version 1, but without its header; positions are offsets in them.
  init(records: [UInt8], _ limits: AnswerLimits = AnswerLimits()) {
    spool = nil
    self.limits = limits
    window = records
  }

  /// Whether no more may be looked for.
  var isExhausted: Bool { spansRead >= limits.spans || bytesRead >= limits.recordBytes }
  var spansLeft: Int { isExhausted ? 0 : limits.spans - spansRead }

  /// Reads one span to look at it, which counts against the limits.
  func look(_ position: SpoolPosition, _ body: (borrowing Span, UnsafeRawBufferPointer) -> Void) {
    guard !isExhausted else { return }
    spansRead += 1
    read(position) { span, payload in
      bytesRead += payload.count
      body(span, payload)
    }
  }

  /// Calls `body` with the span and its record's payload; not when it is gone or damaged.
  func read(_ position: SpoolPosition, _ body: (borrowing Span, UnsafeRawBufferPointer) -> Void) {
    guard prepare(position) else { return }
    let offset = position.offset - start
    window.withUnsafeBytes { bytes in
      guard case .good(let payload, _) = framing.record(at: offset, in: bytes),
        (try? OTLPProtobuf.decode(payload, limits: .none, into: &span)) != nil
      else { return }
      body(span, payload)
    }
  }

  /// Ensures that the whole record is in the window.
  private func prepare(_ position: SpoolPosition) -> Bool {
    var needed: Int?
    // Around the place, then from its record's header on, then the whole of a record that is larger than the window.
    for _ in 0..<3 {
      if position.segment == segment, position.offset >= start, position.offset < start + window.count {
        let record = window.withUnsafeBytes { framing.record(at: position.offset - start, in: $0) }
        guard case .incomplete(let bytes) = record else { return true }
        needed = bytes
      }
      guard fill(position, needed) else { return false }
    }
    return true
  }

  private func fill(_ position: SpoolPosition, _ needed: Int?) -> Bool {
    guard let spool else { return false }
    if file == nil || position.segment != segment {
      // A segment that is gone was deleted in between.
      guard let framing = spool.framing(of: position.segment),
        let opened = (try? spool.openSegment(position.segment)) ?? nil
      else { return false }
      self.framing = framing
      file = consume opened
      segment = position.segment
    }
    let count = max(Self.windowBytes, needed ?? 0)
    if window.count != count { window = [UInt8](repeating: 0, count: count) }
    // The newest traces are read first, so what comes next is as likely before this span as after it.
    start = needed == nil ? max(0, position.offset - count / 2) : position.offset
    let got = (try? file?.read(at: start, into: &window, count: count, subject: "spool")) ?? 0
    window.removeLast(window.count - got)
    return position.offset < start + got
  }
}
