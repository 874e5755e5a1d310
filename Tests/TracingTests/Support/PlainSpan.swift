@testable import Tracing

/// A span as a tree of values that can be compared, apart from the pools in which ``Span`` keeps its parts.
struct PlainSpan: Equatable, Sendable {
  typealias Text = [UInt8]

  indirect enum Value: Equatable, Sendable {
    case empty
    case bool(Bool)
    case int(Int64)
    /// The bits; all values that are not numbers have the same.
    case double(UInt64)
    case string(Text)
    case bytes(Text)
    case array([Value])
    case map([Attribute])

    static func number(_ value: Double) -> Value {
      .double(value.isNaN ? Double.nan.bitPattern : value.bitPattern)
    }
  }

  struct Attribute: Equatable, Sendable {
    var key: Text
    var value: Value
  }

  struct State: Equatable, Sendable {
    var key: Text
    var value: Text
  }

  struct Event: Equatable, Sendable {
    var name: Text
    var time: UInt64
    var attributes: [Attribute]
    var dropped: UInt32
  }

  struct Link: Equatable, Sendable {
    var traceID: TraceID
    var spanID: SpanID
    var flags: UInt32 = 0
    var isRemote = false
    var state: [State] = []
    var attributes: [Attribute] = []
    var dropped: UInt32 = 0
  }

  /// A resource or a scope; a resource has neither name nor version.
  struct Common: Equatable, Sendable {
    var name: Text = []
    var version: Text = []
    var attributes: [Attribute] = []
    var dropped: UInt32 = 0
    var schema: Text = []
  }

  var traceID = TraceID(1)
  var spanID = SpanID(1)
  var parentID = SpanID(0)
  var flags: UInt32 = 0
  var kind = Span.Kind.unspecified
  var name: Text = []
  var start: UInt64 = 0
  var end: UInt64 = 0
  var status = Span.Status.unset
  var message: Text = []
  var state: [State] = []
  var attributes: [Attribute] = []
  var droppedAttributes: UInt32 = 0
  var droppedEvents: UInt32 = 0
  var droppedLinks: UInt32 = 0
  var events: [Event] = []
  var links: [Link] = []
  var resource = Common()
  var scope = Common()
}

// MARK: From the model

extension PlainSpan {
  init(_ span: Span) {
    traceID = span.traceID
    spanID = span.spanID
    parentID = span.parentID
    flags = span.flags
    kind = span.kind
    name = span.bytes(span.name)
    start = span.start
    end = span.end
    status = span.status
    message = span.bytes(span.statusMessage)
    state = Self.states(span, span.traceState)
    attributes = Self.attributes(span, span.own)
    droppedAttributes = span.droppedAttributes
    droppedEvents = span.droppedEvents
    droppedLinks = span.droppedLinks
    events = span.events.map {
      Event(
        name: span.bytes($0.name), time: $0.time, attributes: Self.attributes(span, $0.attributes),
        dropped: $0.dropped)
    }
    links = span.links.map {
      Link(
        traceID: $0.traceID, spanID: $0.spanID, flags: $0.flags, isRemote: $0.isRemote,
        state: Self.states(span, $0.traceState), attributes: Self.attributes(span, $0.attributes),
        dropped: $0.dropped)
    }
    resource = Common(
      attributes: Self.attributes(span, span.resource.attributes), dropped: span.resource.dropped,
      schema: span.bytes(span.resource.schema))
    scope = Common(
      name: span.bytes(span.scope.name), version: span.bytes(span.scope.version),
      attributes: Self.attributes(span, span.scope.attributes), dropped: span.scope.dropped,
      schema: span.bytes(span.scope.schema))
  }

  private static func states(_ span: Span, _ list: Span.List) -> [State] {
    list.range.map { State(key: span.bytes(span.states[$0].key), value: span.bytes(span.states[$0].value)) }
  }

  private static func attributes(_ span: Span, _ list: Span.List) -> [Attribute] {
    list.range.map {
      Attribute(key: span.bytes(span.attributes[$0].key), value: value(span, span.attributes[$0].value))
    }
  }

  private static func value(_ span: Span, _ value: Span.Value) -> Value {
    switch value {
    case .empty: .empty
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .double(let value): .number(value)
    case .string(let piece): .string(span.bytes(piece))
    case .bytes(let piece): .bytes(span.bytes(piece))
    case .array(let list, _): .array(list.range.map { self.value(span, span.elements[$0]) })
    case .map(let list): .map(attributes(span, list))
    }
  }
}

extension Span {
  /// A piece that is not within the text is a trap here, as it is a defect of a decoder.
  func bytes(_ piece: Text) -> [UInt8] { Array(text[Int(piece.offset)..<Int(piece.offset + piece.count)]) }
}

// MARK: To the model

extension PlainSpan {
  /// The same as the codecs' model.
  var span: Span {
    var span = Span()
    span.traceID = traceID
    span.spanID = spanID
    span.parentID = parentID
    span.flags = flags
    span.kind = kind
    span.name = Self.keep(name, &span)
    span.start = start
    span.end = end
    span.status = status
    span.statusMessage = Self.keep(message, &span)
    span.traceState = Self.keep(state, &span)
    span.own = Self.keep(attributes, &span)
    span.droppedAttributes = droppedAttributes
    span.droppedEvents = droppedEvents
    span.droppedLinks = droppedLinks
    for event in events {
      var kept = Span.Event()
      kept.name = Self.keep(event.name, &span)
      kept.time = event.time
      kept.attributes = Self.keep(event.attributes, &span)
      kept.dropped = event.dropped
      span.events.append(kept)
    }
    for link in links {
      span.links.append(
        Span.Link(
          traceID: link.traceID, spanID: link.spanID, flags: link.flags, isRemote: link.isRemote,
          hasState: !link.state.isEmpty, traceState: Self.keep(link.state, &span),
          attributes: Self.keep(link.attributes, &span), dropped: link.dropped))
    }
    span.resource = Span.Resource(
      attributes: Self.keep(resource.attributes, &span), dropped: resource.dropped,
      schema: Self.keep(resource.schema, &span))
    span.scope = Span.Scope(
      name: Self.keep(scope.name, &span), version: Self.keep(scope.version, &span),
      attributes: Self.keep(scope.attributes, &span), dropped: scope.dropped,
      schema: Self.keep(scope.schema, &span))
    return span
  }

  private static func keep(_ text: Text, _ span: inout Span) -> Span.Text {
    let start = span.text.count
    span.text += text
    return Span.Text(start, text.count)
  }

  private static func keep(_ states: [State], _ span: inout Span) -> Span.List {
    let first = span.states.count
    for state in states {
      span.states.append(Span.StateEntry(key: keep(state.key, &span), value: keep(state.value, &span)))
    }
    return Span.List(first, states.count)
  }

  private static func keep(_ attributes: [Attribute], _ span: inout Span) -> Span.List {
    let kept = attributes.map { Span.Attribute(keep($0.key, &span), keep($0.value, &span)) }
    let first = span.attributes.count
    span.attributes += kept
    return Span.List(first, kept.count)
  }

  private static func keep(_ value: Value, _ span: inout Span) -> Span.Value {
    switch value {
    case .empty: .empty
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .double(let bits): .double(Double(bitPattern: bits))
    case .string(let text): .string(keep(text, &span))
    case .bytes(let bytes): .bytes(keep(bytes, &span))
    case .array(let values): span.keepArray(values.map { keep($0, &span) })
    case .map(let members): .map(keep(members, &span))
    }
  }
}
