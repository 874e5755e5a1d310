/// OTLP's traces in protobuf's binary form. Source: opentelemetry-proto 1.x, `trace/v1/trace.proto`; see `formats/otlp`.
///
/// One span travels as one `ResourceSpans` message: requests, collector files and the spool are sequences of them.
package enum OTLPProtobuf {
  /// Field 1 of `ExportTraceServiceRequest` and `TracesData`, of wire type 2.
  package static let resourceSpansTag: UInt8 = 0x0a

  /// Appends a `ResourceSpans` message with this one span, without tag and length.
  package static func encode(_ span: Span, to out: inout ByteWriter) {
    span.text.withUnsafeBytes { OTLPProtobufEncoder(span: span, text: $0).resourceSpans(&out) }
  }

  /// Decodes a `ResourceSpans` message that has one span.
  package static func decode(
    _ message: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(), into span: inout Span
  ) throws(DecodingError) {
    var found = false
    var decoder = OTLPProtobufDecoder(bytes: message, limits: limits)
    try decoder.resourceSpans(
      ByteReader(message), &span, refused: { error throws(DecodingError) in throw error },
      { _ in found = true })
    if !found { throw DecodingError(.missing, at: 0) }
  }

  /// Decodes an `ExportTraceServiceRequest`: each span is handed to `body` in the same reused value. A broken span is
  /// handed to `refused`; what breaks the framing ends it all.
  package static func decodeRequest(
    _ message: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(),
    refused: (DecodingError) -> Void, _ body: (inout Span) -> Void
  ) throws(DecodingError) {
    var decoder = OTLPProtobufDecoder(bytes: message, limits: limits)
    var span = Span()
    var reader = ByteReader(message)
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == 1, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      let part = try reader.protobufMessage()
      try decoder.resourceSpans(part, &span, refused: { error throws(DecodingError) in refused(error) }, body)
    }
  }
}

extension ByteReader {
  @inline(__always)
  mutating func protobufTag() throws(DecodingError) -> (field: UInt64, wire: UInt8) {
    let tag = try varint()
    guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw failure(.tag) }
    return (tag >> 3, UInt8(tag & 7))
  }

  /// A reader of the message that follows as a field of wire type 2.
  @inline(__always)
  mutating func protobufMessage() throws(DecodingError) -> ByteReader {
    let length = try varint()
    let start = try skip(length)
    return ByteReader(bytes, from: start, count: Int(length))
  }

  mutating func skipProtobuf(_ wire: UInt8) throws(DecodingError) {
    switch wire {
    case 0: _ = try varint()
    case 1: _ = try skip(8)
    case 2: _ = try skip(try varint())
    case 5: _ = try skip(4)
    default: throw failure(.tag)
    }
  }
}

private struct OTLPProtobufDecoder {
  let bytes: UnsafeRawBufferPointer
  let limits: SpanLimits

  /// Resource and scopes are decoded for each span anew into the same pools: a copy of the few bytes they have is cheaper
  /// than sharing them between spans that live apart.
  mutating func resourceSpans(
    _ message: ByteReader, _ span: inout Span,
    refused: (DecodingError) throws(DecodingError) -> Void, _ body: (inout Span) -> Void
  ) throws(DecodingError) {
    var resource: ByteReader?
    var schema: ByteReader?
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): resource = try reader.protobufMessage()
      case (3, 2): schema = try reader.protobufMessage()
      default: try reader.skipProtobuf(wire)
      }
    }
    reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == 2, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      let part = try reader.protobufMessage()
      try scopeSpans(part, resource, schema, &span, refused: refused, body)
    }
  }

  private mutating func scopeSpans(
    _ message: ByteReader, _ resource: ByteReader?, _ schema: ByteReader?, _ span: inout Span,
    refused: (DecodingError) throws(DecodingError) -> Void, _ body: (inout Span) -> Void
  ) throws(DecodingError) {
    var scope: ByteReader?
    var scopeSchema: ByteReader?
    var reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      switch (field, wire) {
      case (1, 2): scope = try reader.protobufMessage()
      case (3, 2): scopeSchema = try reader.protobufMessage()
      default: try reader.skipProtobuf(wire)
      }
    }
    reader = message
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == 2, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      let part = try reader.protobufMessage()
      do throws(DecodingError) {
        span.removeAll()
        if let schema { span.resource.schema = try keep(schema, &span) }
        if let resource { try self.resource(resource, &span) }
        if let scopeSchema { span.scope.schema = try keep(scopeSchema, &span) }
        if let scope { try self.scope(scope, &span) }
        try self.span(part, &span)
      } catch {
        try refused(error)
        continue
      }
      body(&span)
    }
  }

  private func resource(_ message: ByteReader, _ span: inout Span) throws(DecodingError) {
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

  private func scope(_ message: ByteReader, _ span: inout Span) throws(DecodingError) {
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

  private func span(_ message: ByteReader, _ span: inout Span) throws(DecodingError) {
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

  private func event(_ message: ByteReader, _ span: inout Span) throws(DecodingError) {
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

  private func link(_ message: ByteReader, _ span: inout Span) throws(DecodingError) {
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

  private func status(_ message: ByteReader, _ span: inout Span) throws(DecodingError) {
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

  /// The `KeyValue`s of one field of a message, one behind the other in the pool: members of maps that they hold are put
  /// there too, so the list is put behind those when it is whole.
  private func attributes(
    _ message: ByteReader, field wanted: UInt64, _ span: inout Span, depth: Int = 0
  ) throws(DecodingError) -> Span.List {
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
      guard number <= limits.attributes else { throw reader.failure(.limit) }
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
  ) throws(DecodingError) -> Span.Attribute {
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
  ) throws(DecodingError) -> Span.Value {
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
  ) throws(DecodingError) -> Span.Value {
    guard depth <= limits.depth else { throw message.failure(.limit) }
    var reader = message
    var found: [Span.Value] = []
    while !reader.isAtEnd {
      let (field, wire) = try reader.protobufTag()
      guard field == 1, wire == 2 else {
        try reader.skipProtobuf(wire)
        continue
      }
      found.append(try value(try reader.protobufMessage(), &span, depth))
    }
    return span.keepArray(found)
  }

  private func text(_ reader: inout ByteReader, _ span: inout Span) throws(DecodingError) -> Span.Text {
    try keep(try reader.protobufMessage(), &span)
  }

  private func keep(
    _ part: ByteReader, _ span: inout Span, isText: Bool = true
  ) throws(DecodingError) -> Span.Text {
    guard part.remaining <= limits.textBytes else { throw part.failure(.limit) }
    guard !isText || part.isText(part.position, part.remaining) else { throw part.failure(.text) }
    let offset = span.text.count
    span.text.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[part.position..<part.end]))
    return Span.Text(offset, part.remaining)
  }

  private func traceID(_ reader: inout ByteReader) throws(DecodingError) -> TraceID {
    var part = try reader.protobufMessage()
    guard part.remaining == 16 else { throw part.failure(.identifier) }
    return TraceID(try part.big(UInt128.self))
  }

  private func spanID(_ reader: inout ByteReader, isOptional: Bool) throws(DecodingError) -> SpanID {
    var part = try reader.protobufMessage()
    if isOptional, part.isAtEnd { return SpanID(0) }
    guard part.remaining == 8 else { throw part.failure(.identifier) }
    return SpanID(try part.big(UInt64.self))
  }

  private func traceState(_ reader: inout ByteReader, _ span: inout Span) throws(DecodingError) -> Span.List {
    span.keepTraceState(try text(&reader, &span), limit: limits.attributes)
  }

  private func count(_ reader: inout ByteReader) throws(DecodingError) -> UInt32 {
    UInt32(clamping: try reader.varint())
  }
}

extension Span {
  /// Takes the `key=value,…` of a tracestate apart.
  mutating func keepTraceState(_ piece: Text, limit: Int) -> List {
    let first = states.count
    var start = Int(piece.offset)
    let end = min(text.count, start + Int(piece.count))
    while start < end, states.count - first < limit {
      let comma = text[start..<end].firstIndex(of: 0x2c) ?? end
      let equals = text[start..<comma].firstIndex(of: 0x3d) ?? comma
      let value = min(comma, equals + 1)
      states.append(StateEntry(key: Text(start, equals - start), value: Text(value, comma - value)))
      start = comma + 1
    }
    return List(first, states.count - first)
  }

  /// Keeps a list, and finds out whether all its elements are of one of the agent's types.
  mutating func keepArray(_ found: [Value]) -> Value {
    let first = elements.count
    elements.append(contentsOf: found)
    var type: ElementType?
    for element in found {
      let one: ElementType =
        switch element {
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .string: .string
        default: .mixed
        }
      type = type == nil || type == one ? one : .mixed
    }
    return .array(List(first, found.count), type ?? .string)
  }
}

private struct OTLPProtobufEncoder {
  let span: Span
  let text: UnsafeRawBufferPointer

  func resourceSpans(_ out: inout ByteWriter) {
    message(1, &out) { out in
      attributes(span.resource.attributes, 1, &out)
      number(2, UInt64(span.resource.dropped), &out)
    }
    message(2, &out) { out in
      message(1, &out) { out in
        string(1, span.scope.name, &out)
        string(2, span.scope.version, &out)
        attributes(span.scope.attributes, 3, &out)
        number(4, UInt64(span.scope.dropped), &out)
      }
      message(2, &out) { out in body(&out) }
      string(3, span.scope.schema, &out)
    }
    string(3, span.resource.schema, &out)
  }

  private func body(_ out: inout ByteWriter) {
    identifiers(span.traceID, span.spanID, &out)
    traceState(span.traceState, &out)
    if !span.parentID.isZero {
      out.put(4 << 3 | 2)
      out.put(8)
      out.big(span.parentID.value)
    }
    string(5, span.name, &out)
    number(6, UInt64(span.kind.rawValue), &out)
    fixed(7, span.start, &out)
    fixed(8, span.end, &out)
    attributes(span.own, 9, &out)
    number(10, UInt64(span.droppedAttributes), &out)
    for event in span.events {
      message(11, &out) { out in
        fixed(1, event.time, &out)
        string(2, event.name, &out)
        attributes(event.attributes, 3, &out)
        number(4, UInt64(event.dropped), &out)
      }
    }
    number(12, UInt64(span.droppedEvents), &out)
    for link in span.links { self.link(link, &out) }
    number(14, UInt64(span.droppedLinks), &out)
    if span.status != .unset || !span.statusMessage.isEmpty {
      message(15, &out) { out in
        string(2, span.statusMessage, &out)
        number(3, UInt64(span.status.rawValue), &out)
      }
    }
    flags(16, span.flags, &out)
  }

  private func link(_ link: Span.Link, _ out: inout ByteWriter) {
    message(13, &out) { out in
      identifiers(link.traceID, link.spanID, &out)
      traceState(link.traceState, &out)
      attributes(link.attributes, 4, &out)
      number(5, UInt64(link.dropped), &out)
      flags(6, link.isRemote ? link.flags | 0x300 : link.flags, &out)
    }
  }

  private func identifiers(_ traceID: TraceID, _ spanID: SpanID, _ out: inout ByteWriter) {
    out.put(1 << 3 | 2)
    out.put(16)
    out.big(traceID.value)
    out.put(2 << 3 | 2)
    out.put(8)
    out.big(spanID.value)
  }

  private func traceState(_ list: Span.List, _ out: inout ByteWriter) {
    if list.isEmpty { return }
    message(3, &out) { out in TraceStateText.put(span.states[clamping: list], text, to: &out) }
  }

  private func attributes(_ list: Span.List, _ field: UInt64, _ out: inout ByteWriter) {
    for attribute in span.attributes[clamping: list] {
      message(field, &out) { out in
        string(1, attribute.key, &out)
        message(2, &out) { out in value(attribute.value, &out) }
      }
    }
  }

  private func value(_ value: Span.Value, _ out: inout ByteWriter, depth: Int = 0) {
    switch value {
    case .empty: break
    case .string(let piece): bytes(1, piece, &out)
    case .bool(let value):
      out.put(2 << 3)
      out.put(value ? 1 : 0)
    case .int(let value):
      out.put(3 << 3)
      out.varint(UInt64(bitPattern: value))
    case .double(let value):
      out.put(4 << 3 | 1)
      out.little(value.bitPattern)
    case .array(let list, _):
      message(5, &out) { out in
        for element in span.elements[clamping: list] where depth < 32 {
          message(1, &out) { out in self.value(element, &out, depth: depth + 1) }
        }
      }
    case .map(let list): if depth < 32 { message(6, &out) { out in attributes(list, 1, &out) } }
    case .bytes(let piece): bytes(7, piece, &out)
    }
  }

  // MARK: Fields

  @inline(__always)
  private func message(_ field: UInt64, _ out: inout ByteWriter, _ body: (inout ByteWriter) -> Void) {
    out.varint(field << 3 | 2)
    let start = out.count
    body(&out)
    out.insertLength(at: start)
  }

  /// A text, which is left out when it is empty, as protobuf 3 has it.
  private func string(_ field: UInt64, _ piece: Span.Text, _ out: inout ByteWriter) {
    if !piece.isEmpty { bytes(field, piece, &out) }
  }

  private func bytes(_ field: UInt64, _ piece: Span.Text, _ out: inout ByteWriter) {
    let bytes = text[piece]
    out.varint(field << 3 | 2)
    out.varint(UInt64(bytes.count))
    out.put(bytes)
  }

  private func number(_ field: UInt64, _ value: UInt64, _ out: inout ByteWriter) {
    guard value != 0 else { return }
    out.varint(field << 3)
    out.varint(value)
  }

  private func fixed(_ field: UInt64, _ value: UInt64, _ out: inout ByteWriter) {
    guard value != 0 else { return }
    out.varint(field << 3 | 1)
    out.little(value)
  }

  private func flags(_ field: UInt64, _ value: UInt32, _ out: inout ByteWriter) {
    guard value != 0 else { return }
    out.varint(field << 3 | 5)
    out.little(value)
  }
}

/// The W3C form of a tracestate: `key=value,key=value`.
enum TraceStateText {
  static func put(
    _ entries: ArraySlice<Span.StateEntry>, _ text: UnsafeRawBufferPointer, to out: inout ByteWriter
  ) {
    var isFirst = true
    for entry in entries {
      if !isFirst { out.put(0x2c) }
      isFirst = false
      out.put(text[entry.key])
      out.put(0x3d)
      out.put(text[entry.value])
    }
  }
}
