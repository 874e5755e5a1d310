import System
import Tracing

/// The traces in the spool, the positions of their spans, and the properties by which a trace can be ruled out without
/// reading it: time, duration, service and operation.
///
/// It is bounded: the traces that spans came for longest ago are forgotten first when there are more than ``Capacity``
/// says, and spans go with the segment of the spool that they are in.
package final class TraceIndex: Sendable {
  package struct Capacity: Sendable {
    package var traces = 20_000
    /// A span takes 32 bytes. A quarter of them may be of one trace.
    package var spans = 400_000
    package var services = 500
    /// Of all services together.
    package var operations = 10_000
    package init() {}

    var spansPerTrace: Int { max(1, spans / 4) }
  }

  /// What is known of a span without reading it.
  struct SpanPlace {
    var segment: UInt32
    var offset: UInt32
    /// Its number in the ``OperationTable``.
    var operation: UInt32
    /// Nanoseconds since 1970.
    var start: UInt64
    var duration: UInt64

    var position: SpoolPosition { SpoolPosition(segment: UInt64(segment), offset: Int(offset)) }
  }

  struct Entry {
    /// In the order in which they were received, and so by segment.
    var spans: [SpanPlace] = []
    /// The starts of its first and last span.
    var start: UInt64 = .max
    var end: UInt64 = 0
    /// Rises with every span.
    var age: UInt64 = 0
    /// Spans that were too many to note.
    var omitted = 0
  }

  private struct State {
    var entries: [TraceID: Entry] = [:]
    var operations: OperationTable
    var spans = 0
    var age: UInt64 = 0
    /// Earlier segments are gone.
    var firstSegment: UInt64 = 0
    var isStopped = false
  }

  let spool: Spool
  private let limits: Capacity
  private let state: Lock<State>
  private let wakeup: Wakeup
  private let thread = Lock<WorkerThread?>(nil)

  package init(_ spool: Spool, limits: Capacity = Capacity()) throws(SystemCallError) {
    self.spool = spool
    self.limits = limits
    state = Lock(State(operations: OperationTable(limits)))
    wakeup = try Wakeup()
    spool.subscribe(wakeup)
  }

  // MARK: Filling

  /// Reads the spool from its start and then what is appended, on its own thread.
  package func start() { thread.withLock { $0 = WorkerThread.start { [self] in follow() } } }

  package func stop() {
    state.withLock { $0.isStopped = true }
    wakeup.raise()
    thread.withLock { $0.take() }?.join()
  }

  private func follow() {
    var reader = SpoolReader(spool, at: spool.start, for: .queries)
    while !state.withLock({ $0.isStopped }) {
      if !catchUp(&reader) { wakeup.wait(milliseconds: 5000) }
      forgetDeleted()
    }
  }

  private struct Found {
    var traceID: TraceID
    var operation: Operation
    var place: SpanPlace
  }

  /// Notes the spans of the next batch; false if there is none.
  func catchUp(_ reader: inout SpoolReader) -> Bool {
    guard let batch = (try? reader.next(records: 512, bytes: 1 << 20)) ?? nil else { return false }
    var found: [Found] = []
    var span = Span()
    for range in batch.payloads {
      let offset = batch.position(of: range).offset
      let isGood = batch.bytes.withPart(range) { payload in
        (try? OTLPProtobuf.decode(payload, limits: .none, into: &span)) != nil
      }
      guard isGood, let segment = UInt32(exactly: batch.start.segment), let offset = UInt32(exactly: offset)
      else { continue }
      let operation = Operation(
        service: span.serviceName, name: span.string(span.name), kind: span.kind)
      let place = SpanPlace(
        segment: segment, offset: offset, operation: 0, start: span.start, duration: span.duration)
      found.append(Found(traceID: span.traceID, operation: operation, place: place))
    }
    state.withLock { state in for span in found { add(span, &state) } }
    return true
  }

  private func add(_ found: Found, _ state: inout State) {
    state.age += 1
    var entry = state.entries.removeValue(forKey: found.traceID) ?? Entry()
    entry.age = state.age
    if entry.spans.count < limits.spansPerTrace {
      var place = found.place
      place.operation = state.operations.enter(found.operation)
      entry.spans.append(place)
      entry.start = min(entry.start, place.start)
      entry.end = max(entry.end, place.start)
      state.spans += 1
    } else {
      entry.omitted += 1
    }
    state.entries[found.traceID] = entry
    if state.entries.count > limits.traces || state.spans > limits.spans { evict(&state) }
  }

  /// Forgets the oldest traces until a tenth of the room is free.
  private func evict(_ state: inout State) {
    let oldest = state.entries.map { (id: $0.key, age: $0.value.age) }.sorted { $0.age < $1.age }
    for (id, _) in oldest.dropLast() {
      guard state.entries.count > limits.traces / 10 * 9 || state.spans > limits.spans / 10 * 9 else {
        return
      }
      guard let entry = state.entries.removeValue(forKey: id) else { continue }
      leave(entry.spans[...], &state)
    }
  }

  private func leave(_ places: ArraySlice<SpanPlace>, _ state: inout State) {
    state.spans -= places.count
    for place in places { state.operations.leave(place.operation) }
  }

  /// Forgets what was in segments that the spool has deleted.
  func forgetDeleted() {
    let first = spool.start.segment
    state.withLock { state in
      guard first > state.firstSegment else { return }
      state.firstSegment = first
      for (id, entry) in state.entries where (entry.spans.first.map { UInt64($0.segment) } ?? first) < first {
        let gone = entry.spans.prefix { UInt64($0.segment) < first }
        leave(gone, &state)
        var rest = entry
        rest.spans = Array(entry.spans[gone.endIndex...])
        rest.start = rest.spans.map(\.start).min() ?? .max
        rest.end = rest.spans.map(\.start).max() ?? 0
        state.entries[id] = rest.spans.isEmpty ? nil : rest
      }
    }
  }

  // MARK: Asking

  var services: [String] {
    forgetDeleted()
    return state.withLock { $0.operations.services }
  }

  func operations(of service: String) -> [Operation] {
    forgetDeleted()
    return state.withLock { $0.operations.operations(of: service) }
  }

  /// How many traces, spans and operations are noted.
  var counts: (traces: Int, spans: Int, operations: Int) {
    state.withLock { ($0.entries.count, $0.spans, $0.operations.count) }
  }

  func entry(_ id: TraceID) -> Entry? {
    forgetDeleted()
    return state.withLock { $0.entries[id] }
  }

  /// The traces that may be found by a query, the newest first; sure when some span fits all that is asked but tags.
  func candidates(_ query: TraceQuery) -> [(id: TraceID, isSure: Bool)] {
    forgetDeleted()
    let found = state.withLock { state in
      let operations = state.operations.matching(service: query.service, name: query.operation)
      let takesAll = query.service == nil && query.operation == nil
      return state.entries.compactMap { id, entry -> (id: TraceID, start: UInt64, isSure: Bool)? in
        guard entry.start <= query.end, entry.end >= query.start else { return nil }
        var isPossible = false
        for place in entry.spans where query.fits(start: place.start, duration: place.duration) {
          if takesAll || operations[Int(place.operation)] { return (id, entry.start, true) }
          isPossible = isPossible || place.operation == OperationTable.unknown
        }
        return isPossible ? (id, entry.start, false) : nil
      }
    }
    return found.sorted { ($0.start, $0.id) > ($1.start, $1.id) }.map { ($0.id, $0.isSure) }
  }
}
