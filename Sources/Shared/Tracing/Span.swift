/// One finished operation, with everything that OpenTelemetry records about it.
///
/// A span is a handful of arrays that are filled again for each span, so that decoding one allocates nothing: texts are
/// ranges of ``text``, lists are ranges of ``attributes`` and ``elements``. Texts are always valid UTF-8; the decoders
/// refuse others. Every codec reads and writes this one model, which loses nothing between two formats that can both
/// carry a thing.
///
/// The name shadows the standard library's `Span<T>`, a view of memory, which this project does not use; the word is
/// OpenTelemetry's, and one word per concept is worth more here. `Swift.Span` names the other.
package struct Span: Sendable {
  package var traceID = TraceID(0)
  package var spanID = SpanID(0)
  /// Zero for a root span.
  package var parentID = SpanID(0)
  /// W3C trace flags in the low byte (bit 0: sampled), OpenTelemetry's in the others (bits 8 and 9: the parent is
  /// remote).
  package var flags: UInt32 = 0
  package var kind = Kind.unspecified
  package var name = Text.none
  /// Nanoseconds since 1970.
  package var start: UInt64 = 0
  package var end: UInt64 = 0
  package var status = Status.unset
  package var statusMessage = Text.none
  /// The W3C tracestate list, in ``states``.
  package var traceState = List.none

  package var own = List.none
  package var droppedAttributes: UInt32 = 0
  package var droppedEvents: UInt32 = 0
  package var droppedLinks: UInt32 = 0
  package var resource = Resource()
  package var scope = Scope()

  package var events: [Event] = []
  package var links: [Link] = []
  /// The attributes of the span, its resource, scope, events and links, and the members of maps.
  package var attributes: [Attribute] = []
  package var elements: [Value] = []
  package var states: [StateEntry] = []
  package var text: [UInt8] = []
  /// What only the guest agent's wire formats say.
  package var agent = AgentDetails()

  package init() {}

  /// A piece of ``Span/text``.
  package struct Text: Sendable {
    package var offset: UInt32
    package var count: UInt32
    package init(_ offset: Int, _ count: Int) {
      self.offset = UInt32(truncatingIfNeeded: offset)
      self.count = UInt32(truncatingIfNeeded: count)
    }
    package static var none: Text { Text(0, 0) }
    package var isEmpty: Bool { count == 0 }
  }

  /// A run of one of the span's arrays.
  package struct List: Sendable {
    package var first: UInt32
    package var count: UInt32
    package init(_ first: Int, _ count: Int) {
      self.first = UInt32(truncatingIfNeeded: first)
      self.count = UInt32(truncatingIfNeeded: count)
    }
    package static var none: List { List(0, 0) }
    package var range: Range<Int> { Int(first)..<Int(first) + Int(count) }
    package var isEmpty: Bool { count == 0 }
  }

  /// The numbers are OTLP's.
  package enum Kind: UInt8, Sendable, CaseIterable {
    case unspecified, `internal`, server, client, producer, consumer
  }

  /// The numbers are OTLP's.
  package enum Status: UInt8, Sendable { case unset, ok, error }

  package enum Value: Sendable {
    case empty
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(Text)
    case bytes(Text)
    /// In ``Span/elements``, with the agent's number for the elements' type: an empty list still has one there.
    case array(List, ElementType)
    /// In ``Span/attributes``.
    case map(List)
  }

  /// The numbers are those of the agent's bincode; OTLP's arrays are `mixed`.
  package enum ElementType: UInt8, Sendable { case bool, int, double, string, mixed }

  package struct Attribute: Sendable {
    package var key: Text
    package var value: Value
    package init(_ key: Text, _ value: Value) {
      self.key = key
      self.value = value
    }
  }

  package struct StateEntry: Sendable {
    package var key: Text
    package var value: Text
  }

  package struct Event: Sendable {
    package var name = Text.none
    /// Nanoseconds since 1970.
    package var time: UInt64 = 0
    package var attributes = List.none
    package var dropped: UInt32 = 0
    package init() {}
  }

  package struct Link: Sendable {
    package var traceID = TraceID(0)
    package var spanID = SpanID(0)
    /// As a span's; bit 8 says that it is known whether the linked span is remote, bit 9 that it is.
    package var flags: UInt32 = 0
    package var isRemote = false
    package var hasState = false
    package var traceState = List.none
    package var attributes = List.none
    package var dropped: UInt32 = 0

    /// Sets in the flags whether the linked span is remote, for a format that always states it.
    mutating func setRemoteFlags() { flags |= isRemote ? 0x300 : 0x100 }
  }

  package struct Resource: Sendable {
    package var attributes = List.none
    package var dropped: UInt32 = 0
    package var schema = Text.none
  }

  package struct Scope: Sendable {
    package var name = Text.none
    package var version = Text.none
    package var attributes = List.none
    package var dropped: UInt32 = 0
    package var schema = Text.none
  }

  /// Details of `SpanData` that OpenTelemetry's model has no place for; they let a span be encoded to the very bytes
  /// that it was decoded from.
  package struct AgentDetails: Sendable {
    package var isRemote = false
    package var hasTraceState = false
    package var hasEvents = false
    package var hasLinks = false
    package var hasResource = true
    package var attributeLimit: UInt32 = 128
    package var eventLimit: UInt32 = 128
    package var linkLimit: UInt32 = 128
    /// The positions of the span's own attributes in the order of the encoded map, which is random.
    package var mapOrder: [UInt32] = []
  }

  /// Empties the span, and keeps its memory for the next one.
  package mutating func removeAll() {
    attributes.removeAll(keepingCapacity: true)
    elements.removeAll(keepingCapacity: true)
    // What one huge span made large is given back; the other pools are bounded by ``SpanLimits/values``.
    text.removeAll(keepingCapacity: text.capacity <= 1 << 20)
    resource = Resource()
    scope = Scope()
    traceID = TraceID(0)
    spanID = SpanID(0)
    parentID = SpanID(0)
    flags = 0
    kind = .unspecified
    name = .none
    start = 0
    end = 0
    status = .unset
    statusMessage = .none
    traceState = .none
    own = .none
    droppedAttributes = 0
    droppedEvents = 0
    droppedLinks = 0
    events.removeAll(keepingCapacity: true)
    links.removeAll(keepingCapacity: true)
    states.removeAll(keepingCapacity: true)
    agent.isRemote = false
    agent.hasTraceState = false
    agent.hasEvents = false
    agent.hasLinks = false
    agent.hasResource = true
    agent.attributeLimit = 128
    agent.eventLimit = 128
    agent.linkLimit = 128
    agent.mapOrder.removeAll(keepingCapacity: true)
  }

  /// Nanoseconds from start to end; 0 if the clock went backwards in between.
  package var duration: UInt64 { end > start ? end - start : 0 }

  package func string(_ piece: Text) -> String {
    let lower = Int(piece.offset)
    let upper = lower + Int(piece.count)
    guard upper <= text.count else { return "" }
    return String(decoding: text[lower..<upper], as: UTF8.self)
  }

  /// The span's own attribute `key`, or the resource's.
  package func attribute(_ key: String, in list: List) -> Value? {
    for attribute in attributes[clamping: list] where string(attribute.key) == key { return attribute.value }
    return nil
  }

  /// The resource's `service.name`.
  package var serviceName: String {
    if case .string(let name) = attribute("service.name", in: resource.attributes) { return string(name) }
    return ""
  }

  /// Keeps a new text.
  package mutating func intern(_ string: String) -> Text {
    let start = text.count
    text.append(contentsOf: string.utf8)
    return Text(start, text.count - start)
  }

  /// Sets an attribute of text of the resource, in the place of all that have its key.
  package mutating func setResource(_ key: String, _ value: String) {
    let list = attributes[clamping: resource.attributes].filter { string($0.key) != key }
    let first = attributes.count
    attributes.append(contentsOf: list)
    attributes.append(Attribute(intern(key), .string(intern(value))))
    resource.attributes = List(first, list.count + 1)
    agent.hasResource = true
  }
}

extension Array {
  /// The run, clamped to the existing elements.
  package subscript(clamping list: Span.List) -> ArraySlice<Element> {
    let upper = Swift.min(Int(list.first) + Int(list.count), count)
    let lower = Swift.min(Int(list.first), upper)
    return self[lower..<upper]
  }
}
