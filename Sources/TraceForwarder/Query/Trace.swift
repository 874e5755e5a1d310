import Tracing

/// The spans of one trace received so far, in the order in which they started: for each, what determines its place in
/// the trace, and where to read the rest.
struct Trace {
  struct Member {
    var position: SpoolPosition
    var id: UInt64
    /// 0 for none.
    var parent: UInt64
    /// Nanoseconds since 1970.
    var start: UInt64
    var end: UInt64
    /// In ``Trace/services``.
    var service: Int
    /// In ``Trace/hosts``; nil when its resource names none.
    var host: Int?
    var isError: Bool
    /// Of the record.
    fileprivate var hash: Int
  }

  let id: TraceID
  private(set) var spans: [Member] = []
  private(set) var services: [String] = []
  private(set) var hosts: [String] = []
  /// Spans that were received but are not here: the limits of the index or of an answer were reached.
  private(set) var omitted: Int
  /// Whether some span fits the query that it was read for.
  private(set) var isMatch: Bool

  /// Reads a trace; nil if nothing of it is left.
  ///
  /// When not all may be read, the spans that started first are: they hold the root.
  init?(_ id: TraceID, _ entry: TraceIndex.Entry, _ reader: SpanReader, matching query: TraceQuery? = nil) {
    var places = entry.spans
    if places.count > reader.spansLeft {
      places.sort { $0.start < $1.start }
      places.removeLast(places.count - reader.spansLeft)
      places.sort { $0.position < $1.position }
    }
    self.init(id, at: places.map(\.position), reader, matching: query)
    omitted += entry.omitted + entry.spans.count - places.count
    if spans.isEmpty { return nil }
  }

  /// Reads the spans at these positions, each once, in the order in which they started.
  init(_ id: TraceID, at positions: [SpoolPosition], _ reader: SpanReader, matching query: TraceQuery? = nil)
  {
    self.init(id, inOrder: positions, reader, matching: query)
    removeRepeated()
    spans.sort { ($0.start, $1.end, $0.id) < ($1.start, $0.end, $1.id) }
  }

  /// Reads the spans at these positions as they come, with those that come again.
  init(
    _ id: TraceID, inOrder positions: [SpoolPosition], _ reader: SpanReader, matching query: TraceQuery? = nil
  ) {
    self.id = id
    omitted = 0
    isMatch = query == nil
    var names = NameTable()
    var hostNames = NameTable()
    spans.reserveCapacity(positions.count)
    for position in positions {
      if reader.isExhausted { omitted += 1 }
      reader.look(position) { span, payload in
        var hasher = Hasher()
        hasher.combine(bytes: payload)
        spans.append(
          Member(
            position: position, id: span.spanID.value, parent: span.parentID.value, start: span.start,
            end: span.start + span.duration, service: names.number(span.serviceName),
            host: span.host().map { hostNames.number($0) }, isError: span.status == .error,
            hash: hasher.finalize()))
        if !isMatch, let query { isMatch = query.matches(span) }
      }
    }
    services = names.names
    hosts = hostNames.names
  }

  /// A span that was delivered twice is one; two spans that share an id by mistake are two.
  private mutating func removeRepeated() {
    struct Key: Hashable {
      var id: UInt64
      var hash: Int
    }
    var seen: Set<Key> = []
    spans.removeAll { !seen.insert(Key(id: $0.id, hash: $0.hash)).inserted }
  }

  /// The first span without a parent. Where every span's parent is there, as when spans are each other's parents, none
  /// will come: then it is the span that started first.
  var root: Member? {
    if let root = spans.first(where: { $0.parent == 0 }) { return root }
    let ids = Set(spans.map(\.id))
    return omitted == 0 && spans.allSatisfy { ids.contains($0.parent) } ? spans.first : nil
  }
}

/// Names, each once.
private struct NameTable {
  private(set) var names: [String] = []
  private var numbers: [String: Int] = [:]

  mutating func number(_ name: String) -> Int {
    if let number = numbers[name] { return number }
    numbers[name] = names.count
    names.append(name)
    return names.count - 1
  }
}

extension Span {
  /// The host whose clock the span's times are of, as far as its resource tells.
  fileprivate borrowing func host() -> String? {
    for key in ["host.id", "host.ip", "host.name"] {
      switch attribute(key, in: resource.attributes) {
      case .string(let piece): return string(piece)
      case .array(let list, _):
        if case .string(let piece)? = elements[clamping: list].first { return string(piece) }
      default: break
      }
    }
    return nil
  }
}
