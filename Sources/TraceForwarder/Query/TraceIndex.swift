import Basics
import Glibc
import Synchronization
import Tracing

/// Which traces the spool has, and where their spans are, for queries.
///
/// It is bounded: the traces that spans came for longest ago go first when there are more than ``Limits`` says, and names
/// of services and operations beyond their limit are not offered, though found.
package final class TraceIndex: Sendable {
  package struct Limits: Sendable {
    package var traces = 20_000
    /// A span takes 16 bytes.
    package var spans = 400_000
    package var services = 500
    package var operations = 1000
    package init() {}
  }

  /// What is known of a trace without reading it.
  struct Entry {
    var spans: [SpoolPosition] = []
    var services: Set<String> = []
    /// Nanoseconds since 1970.
    var start: UInt64 = .max
    var end: UInt64 = 0
    /// Rises with every span.
    var age: UInt64 = 0
  }

  struct Operation: Hashable {
    var name: String
    var kind: Span.Kind
  }

  private struct State {
    var entries: [TraceID: Entry] = [:]
    var spans = 0
    var age: UInt64 = 0
    var operations: [String: Set<Operation>] = [:]
    var isStopped = false
  }

  private let spool: Spool
  private let limits: Limits
  private let state = Mutex(State())
  private let wakeup: Wakeup
  private let thread = Mutex<WorkerThread?>(nil)

  package init(_ spool: Spool, limits: Limits = Limits()) throws(SystemCallError) {
    self.spool = spool
    self.limits = limits
    wakeup = try Wakeup()
    spool.subscribe(wakeup)
  }

  // MARK: Filling

  /// Reads the spool from its start and then what is appended, on a thread of its own.
  package func start() { thread.withLock { $0 = WorkerThread.start { [self] in follow() } } }

  package func stop() {
    state.withLock { $0.isStopped = true }
    wakeup.raise()
    thread.withLock { $0.take() }?.join()
  }

  private func follow() {
    var reader = SpoolReader(spool, at: spool.start)
    while !state.withLock({ $0.isStopped }) {
      if !catchUp(&reader) { wakeup.wait(milliseconds: 5000) }
    }
  }

  private func catchUp(_ reader: inout SpoolReader) -> Bool {
    guard let batch = (try? reader.next(records: 512, bytes: 1 << 20)) ?? nil, let last = batch.payloads.last
    else { return false }
    let base = batch.end.offset - last.upperBound
    var span = Span()
    for range in batch.payloads {
      let isGood = batch.bytes.withUnsafeBytes { bytes in
        (try? OTLPProtobuf.decode(UnsafeRawBufferPointer(rebasing: bytes[range]), limits: .none, into: &span))
          != nil
      }
      if isGood {
        add(
          span,
          at: SpoolPosition(
            segment: batch.end.segment, offset: base + range.lowerBound - SpoolFormat.recordHeaderBytes))
      }
    }
    return true
  }

  private func add(_ span: Span, at position: SpoolPosition) {
    let service = span.serviceName
    let operation = Operation(name: span.string(span.name), kind: span.kind)
    state.withLock { state in
      state.age += 1
      state.spans += 1
      state.entries[span.traceID, default: Entry()].add(span, service, position, state.age)
      if state.operations[service] != nil || state.operations.count < limits.services {
        if state.operations[service, default: []].count < limits.operations {
          state.operations[service, default: []].insert(operation)
        }
      }
      if state.entries.count > limits.traces || state.spans > limits.spans { evict(&state) }
    }
  }

  /// Forgets the oldest tenth.
  private func evict(_ state: inout State) {
    let oldest = state.entries.sorted { $0.value.age < $1.value.age }
    for (id, entry) in oldest.prefix(max(1, oldest.count / 10)) {
      state.spans -= entry.spans.count
      state.entries[id] = nil
    }
  }

  // MARK: Asking

  var services: [String] { state.withLock { $0.operations.keys.sorted() } }

  func operations(of service: String) -> [Operation] {
    state.withLock { $0.operations[service] ?? [] }
      .sorted { ($0.name, $0.kind.rawValue) < ($1.name, $1.kind.rawValue) }
  }

  /// The traces that a service took part in within a time, the newest first.
  func traces(service: String?, from: UInt64, to: UInt64) -> [TraceID] {
    state.withLock { state in
      state.entries.filter { entry in
        (service.map { entry.value.services.contains($0) } ?? true) && entry.value.start <= to
          && entry.value.end >= from
      }.sorted { $0.value.start > $1.value.start }.map(\.key)
    }
  }

  /// Reads a trace, in the order in which its spans started; nil when it is not known or its segments are gone.
  func trace(_ id: TraceID) -> Trace? {
    guard let positions = state.withLock({ $0.entries[id]?.spans }) else { return nil }
    var spans: [Span] = []
    var seen: Set<UInt64> = []
    var file: (number: UInt64, bytes: FileDescriptorBox)?
    for position in positions {
      if file?.number != position.segment {
        guard let opened = try? FileDescriptor.open(spool.path(position.segment), O_RDONLY) else { continue }
        file = (position.segment, FileDescriptorBox(opened))
      }
      guard let box = file?.bytes, let span = box.span(at: position.offset),
        seen.insert(span.spanID.value).inserted
      else { continue }
      spans.append(span)
    }
    spans.sort { ($0.start, $0.spanID.value) < ($1.start, $1.spanID.value) }
    return spans.isEmpty ? nil : Trace(id: id, spans: spans)
  }
}

extension TraceIndex.Entry {
  fileprivate mutating func add(_ span: Span, _ service: String, _ position: SpoolPosition, _ age: UInt64) {
    spans.append(position)
    if services.count < 64 { services.insert(service) }
    start = min(start, span.start)
    end = max(end, span.end)
    self.age = age
  }
}

/// A segment that spans are read out of one by one.
private final class FileDescriptorBox {
  private let file: FileDescriptor
  init(_ file: consuming FileDescriptor) { self.file = file }

  func span(at offset: Int) -> Span? {
    guard let head = bytes(at: offset, SpoolFormat.recordHeaderBytes) else { return nil }
    let length = head.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= SpoolFormat.maximumPayload,
      let record = bytes(at: offset, SpoolFormat.recordHeaderBytes + length)
    else { return nil }
    return record.withUnsafeBytes { bytes in
      guard case .good(let payload, _) = SpoolFormat.record(at: 0, in: bytes) else { return nil }
      var span = Span()
      return (try? OTLPProtobuf.decode(payload, limits: .none, into: &span)).map { span }
    }
  }

  private func bytes(at offset: Int, _ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = bytes.withUnsafeMutableBytes { target in
      target.baseAddress.flatMap { try? file.read(at: offset, into: $0, count: count, subject: "spool") } ?? 0
    }
    return got == count ? bytes : nil
  }
}

/// The spans of one trace that were received so far.
struct Trace {
  let id: TraceID
  /// By time of start.
  let spans: [Span]

  /// What is wrong with a span, in the words of Jaeger's own query service: a parent that is missing, and a span of another
  /// process that is not within its parent, which two clocks that differ make.
  var warnings: [UInt64: [String]] {
    var byID: [UInt64: Int] = [:]
    for (index, span) in spans.enumerated() { byID[span.spanID.value] = index }
    var result: [UInt64: [String]] = [:]
    for span in spans where !span.parentID.isZero {
      guard let index = byID[span.parentID.value] else {
        result[span.spanID.value] = [
          "invalid parent span IDs=\(span.parentID.description); skipping clock skew adjustment"
        ]
        continue
      }
      let parent = spans[index]
      let delta = Self.skew(of: span, in: parent)
      if delta != 0, span.serviceName != parent.serviceName {
        result[span.spanID.value] = [
          "clock skew adjustment disabled; not applying calculated delta of \(GoDuration.text(delta))"
        ]
      }
    }
    return result
  }

  /// Nanoseconds by which a span would have to be moved to be within its parent. Source: Jaeger's clock skew adjuster.
  private static func skew(of span: Span, in parent: Span) -> Int64 {
    let (start, parentStart) = (Int64(clamping: span.start), Int64(clamping: parent.start))
    let (duration, parentDuration) = (Int64(clamping: span.duration), Int64(clamping: parent.duration))
    if duration > parentDuration { return start >= parentStart ? 0 : parentStart - start }
    let end = start.addingReportingOverflow(duration).partialValue
    let parentEnd = parentStart.addingReportingOverflow(parentDuration).partialValue
    if start >= parentStart, end <= parentEnd { return 0 }
    return parentStart &+ (parentDuration - duration) / 2 &- start
  }

  /// The span that no other one here is the parent of: the root, or else the first.
  var root: Span? { spans.first { $0.parentID.isZero } ?? spans.first }
}

/// Durations as Go writes and reads them: `1.5ms`, `2h45m`.
enum GoDuration {
  static func text(_ nanoseconds: Int64) -> String {
    if nanoseconds == 0 { return "0s" }
    let sign = nanoseconds < 0 ? "-" : ""
    let value = nanoseconds.magnitude
    if value < 1000 { return "\(sign)\(value)ns" }
    if value < 1_000_000 { return "\(sign)\(fraction(value, 1000))µs" }
    if value < 1_000_000_000 { return "\(sign)\(fraction(value, 1_000_000))ms" }
    let minutes = value / 60_000_000_000
    let seconds = fraction(value % 60_000_000_000, 1_000_000_000) + "s"
    if minutes == 0 { return sign + seconds }
    return minutes < 60 ? "\(sign)\(minutes)m\(seconds)" : "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
  }

  private static func fraction(_ value: UInt64, _ unit: UInt64) -> String {
    let rest = value % unit
    if rest == 0 { return String(value / unit) }
    let width = String(unit).utf8.count - 1
    var digits = String(rest)
    digits = String(repeating: "0", count: width - digits.utf8.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(value / unit).\(digits)"
  }

  /// Nanoseconds; nil when it is no duration.
  static func parse(_ text: String) -> UInt64? {
    let units: [(String, Double)] = [
      ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12),
    ]
    var rest = text[...]
    if rest == "0" { return 0 }
    var total = 0.0
    if rest.isEmpty { return nil }
    while !rest.isEmpty {
      let number = rest.prefix { $0.isNumber || $0 == "." }
      let unit = rest.dropFirst(number.count).prefix { !$0.isNumber && $0 != "." }
      guard let value = Double(number), let factor = units.first(where: { $0.0 == unit })?.1 else {
        return nil
      }
      total += value * factor
      rest = rest.dropFirst(number.count + unit.count)
    }
    return total >= 0 && total < 1e19 ? UInt64(total) : nil
  }
}
