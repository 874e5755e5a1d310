import Bytes

/// Reads the spans of a request, resource by resource and scope by scope.
struct OTLPProtobufDecoder {
  let bytes: UnsafeRawBufferPointer
  let limits: SpanLimits
  private var budget: RequestBudget

  init(bytes: UnsafeRawBufferPointer, limits: SpanLimits) {
    self.bytes = bytes
    self.limits = limits
    budget = RequestBudget(limits)
  }

  // MARK: Structure

  /// `ResourceSpans` and `ScopeSpans` number their fields alike: what all the spans are of, the list, the schema.
  private struct Parts {
    var common: ByteReader?
    var schema: ByteReader?
    var first: ByteReader?
    var count = 0
  }

  private func parts(_ message: ByteReader) throws(CodecError) -> Parts {
    var parts = Parts()
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): parts.common = try reader.protobufMessage()
      case (2, 2):
        let item = try reader.protobufMessage()
        if parts.count == 0 { parts.first = item }
        parts.count += 1
      case (3, 2): parts.schema = try reader.protobufMessage()
      default: try reader.skipProtobuf(wire)
      }
    }
    return parts
  }

  /// Calls `body` with each item of the list.
  private func items(
    _ message: ByteReader, _ body: (ByteReader) throws(CodecError) -> Void
  ) throws(CodecError) {
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      if field == 2, wire == 2 {
        try body(try reader.protobufMessage())
      } else {
        try reader.skipProtobuf(wire)
      }
    }
  }

  /// Decodes `ResourceSpans` with a single span straight into it.
  func single(_ message: ByteReader, _ span: inout Span) throws(CodecError) {
    span.removeAll()
    let outer = try parts(message)
    guard let scopeSpans = outer.first else { throw message.failure(.missing) }
    let inner = try parts(scopeSpans)
    guard let part = inner.first else { throw message.failure(.missing) }
    guard outer.count == 1, inner.count == 1 else { throw message.failure(.trailing) }
    try resource(outer, &span)
    try scope(inner, &span)
    try self.span(part, &span)
  }

  mutating func resourceSpans(
    _ message: ByteReader, _ span: inout Span, refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var common = Span()
    var problem: CodecError?
    let parts = try parts(message)
    do throws(CodecError) { try resource(parts, &common) } catch { problem = error }
    try items(message) { part throws(CodecError) in
      try scopeSpans(part, of: common, problem, &span, refused, body)
    }
  }

  /// The spans of one scope of the resource that `common` has, or whose `problem` they all share.
  private mutating func scopeSpans(
    _ message: ByteReader, of common: Span, _ problem: CodecError?, _ span: inout Span,
    _ refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var common = common
    var problem = problem
    let parts = try parts(message)
    do throws(CodecError) { try scope(parts, &common) } catch { problem = problem ?? error }
    try budget.charge(common, at: message.position)
    // A copy, as the budget changes while a span is read.
    let reader = self
    try items(message) { part throws(CodecError) in
      let failure = try budget.next(&span, of: common, problem, at: part.position) {
        span throws(CodecError) in try reader.span(part, &span)
      }
      if let failure { refused(failure) } else { body(&span) }
    }
  }

  private func resource(_ parts: Parts, _ span: inout Span) throws(CodecError) {
    if let schema = parts.schema { span.resource.schema = try keep(schema, &span) }
    guard let message = parts.common else { return }
    var reader = message
    let list = try attributes(message, field: 1, &span)
    span.resource.attributes = list
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      if field == 2, wire == 0 {
        span.resource.dropped = try count(&reader)
      } else {
        try reader.skipProtobuf(wire)
      }
    }
  }

  private func scope(_ parts: Parts, _ span: inout Span) throws(CodecError) {
    if let schema = parts.schema { span.scope.schema = try keep(schema, &span) }
    guard let message = parts.common else { return }
    var reader = message
    span.scope.attributes = try attributes(message, field: 3, &span)
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): span.scope.name = try text(&reader, &span)
      case (2, 2): span.scope.version = try text(&reader, &span)
      case (4, 0): span.scope.dropped = try count(&reader)
      default: try reader.skipProtobuf(wire)
      }
    }
  }

  private func span(_ message: ByteReader, _ span: inout Span) throws(CodecError) {
    span.own = try attributes(message, field: 9, &span)
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): span.traceID = try traceID(&reader)
      case (2, 2): span.spanID = try spanID(&reader, isOptional: false)
      case (3, 2): span.traceState = try traceState(&reader, &span)
      case (4, 2): span.parentID = try spanID(&reader, isOptional: true)
      case (5, 2): span.name = try text(&reader, &span)
      case (6, 0):
        span.kind =
          Span.Kind(rawValue: UInt8(truncatingIfNeeded: min(try reader.varint(), 255))) ?? .unspecified
      case (7, 1): span.start = try reader.little(UInt64.self)
      case (8, 1): span.end = try reader.little(UInt64.self)
      case (10, 0): span.droppedAttributes = try count(&reader)
      case (11, 2): try event(try reader.protobufMessage(), &span)
      case (12, 0): span.droppedEvents = try count(&reader)
      case (13, 2): try link(try reader.protobufMessage(), &span)
      case (14, 0): span.droppedLinks = try count(&reader)
      case (15, 2): try status(try reader.protobufMessage(), &span)
      case (16, 5): span.flags = try reader.little(UInt32.self)
      default: try reader.skipProtobuf(wire)
      }
    }
    if span.traceID.value == 0 || span.spanID.isZero { throw reader.failure(.identifier) }
  }

  private func event(_ message: ByteReader, _ span: inout Span) throws(CodecError) {
    guard span.events.count < limits.events else { throw message.failure(.limit) }
    var event = Span.Event()
    event.attributes = try attributes(message, field: 3, &span)
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 1): event.time = try reader.little(UInt64.self)
      case (2, 2): event.name = try text(&reader, &span)
      case (4, 0): event.dropped = try count(&reader)
      default: try reader.skipProtobuf(wire)
      }
    }
    span.events.append(event)
  }

  private func link(_ message: ByteReader, _ span: inout Span) throws(CodecError) {
    guard span.links.count < limits.links else { throw message.failure(.limit) }
    var link = Span.Link()
    link.attributes = try attributes(message, field: 4, &span)
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): link.traceID = try traceID(&reader)
      case (2, 2): link.spanID = try spanID(&reader, isOptional: false)
      case (3, 2): link.traceState = try traceState(&reader, &span)
      case (5, 0): link.dropped = try count(&reader)
      case (6, 5): link.flags = try reader.little(UInt32.self)
      default: try reader.skipProtobuf(wire)
      }
    }
    link.isRemote = link.flags & 0x300 == 0x300
    span.links.append(link)
  }

  private func status(_ message: ByteReader, _ span: inout Span) throws(CodecError) {
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (2, 2): span.statusMessage = try text(&reader, &span)
      case (3, 0):
        span.status =
          Span.Status(rawValue: UInt8(truncatingIfNeeded: min(try reader.varint(), 255))) ?? .unset
      default: try reader.skipProtobuf(wire)
      }
    }
  }

  // MARK: Values

  /// The `KeyValue`s of one field of a message, one after another in the pool: members of maps that they hold are put
  /// there too, so the list is put after those when it is whole.
  private func attributes(
    _ message: ByteReader, field wanted: UInt64, _ span: inout Span, depth: Int = 0
  ) throws(CodecError) -> Span.List {
    guard depth <= limits.depth else { throw message.failure(.limit) }
    var reader = message
    let first = span.attributes.count
    var hasMaps = false
    var found: [Span.Attribute] = []
    var number = 0
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == wanted, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      number += 1
      guard number <= limits.attributes, span.hasRoom(for: found.count + 1, limits) else {
        throw reader.failure(.limit)
      }
      let before = span.attributes.count
      let attribute = try keyValue(try reader.protobufMessage(), &span, depth)
      if span.attributes.count != before, !hasMaps {
        hasMaps = true
        found = Array(span.attributes[first..<before])
      }
      if hasMaps { found.append(attribute) } else { span.attributes.append(attribute) }
    }
    guard hasMaps else { return Span.List(first, span.attributes.count - first) }
    let start = span.attributes.count
    span.attributes.append(contentsOf: found)
    return Span.List(start, found.count)
  }

  private func keyValue(
    _ message: ByteReader, _ span: inout Span, _ depth: Int
  ) throws(CodecError) -> Span.Attribute {
    var attribute = Span.Attribute(.none, .empty)
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): attribute.key = try text(&reader, &span)
      case (2, 2): attribute.value = try value(try reader.protobufMessage(), &span, depth)
      default: try reader.skipProtobuf(wire)
      }
    }
    return attribute
  }

  private func value(
    _ message: ByteReader, _ span: inout Span, _ depth: Int
  ) throws(CodecError) -> Span.Value {
    var value = Span.Value.empty
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): value = .string(try text(&reader, &span))
      case (2, 0): value = .bool(try reader.varint() != 0)
      case (3, 0): value = .int(Int64(bitPattern: try reader.varint()))
      case (4, 1): value = .double(Double(bitPattern: try reader.little(UInt64.self)))
      case (5, 2): value = try array(try reader.protobufMessage(), &span, depth + 1)
      case (6, 2):
        value = .map(try attributes(try reader.protobufMessage(), field: 1, &span, depth: depth + 1))
      case (7, 2): value = .bytes(try keep(try reader.protobufMessage(), &span, isText: false))
      default: try reader.skipProtobuf(wire)
      }
    }
    return value
  }

  private func array(
    _ message: ByteReader, _ span: inout Span, _ depth: Int
  ) throws(CodecError) -> Span.Value {
    guard depth <= limits.depth else { throw message.failure(.limit) }
    var reader = message
    var found: [Span.Value] = []
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == 1, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      guard span.hasRoom(for: found.count + 1, limits) else { throw reader.failure(.limit) }
      found.append(try value(try reader.protobufMessage(), &span, depth))
    }
    return span.keepArray(found)
  }

  private func text(_ reader: inout ByteReader, _ span: inout Span) throws(CodecError) -> Span.Text {
    try keep(try reader.protobufMessage(), &span)
  }

  private func keep(
    _ part: ByteReader, _ span: inout Span, isText: Bool = true
  ) throws(CodecError) -> Span.Text {
    guard part.remaining <= limits.textBytes else { throw part.failure(.limit) }
    guard !isText || part.isText(part.position, part.remaining) else { throw part.failure(.text) }
    let offset = span.text.count
    span.text.append(contentsOf: bytes.part(part.position..<part.end))
    return Span.Text(offset, part.remaining)
  }

  private func traceID(_ reader: inout ByteReader) throws(CodecError) -> TraceID {
    var part = try reader.protobufMessage()
    guard part.remaining == 16 else { throw part.failure(.identifier) }
    return TraceID(try part.big(UInt128.self))
  }

  private func spanID(_ reader: inout ByteReader, isOptional: Bool) throws(CodecError) -> SpanID {
    var part = try reader.protobufMessage()
    if isOptional, part.isAtEnd { return SpanID(0) }
    guard part.remaining == 8 else { throw part.failure(.identifier) }
    return SpanID(try part.big(UInt64.self))
  }

  private func traceState(_ reader: inout ByteReader, _ span: inout Span) throws(CodecError) -> Span.List {
    try span.keepTraceState(try text(&reader, &span), limits)
  }

  private func count(_ reader: inout ByteReader) throws(CodecError) -> UInt32 {
    UInt32(clamping: try reader.varint())
  }
}
