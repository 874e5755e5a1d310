import Bytes

/// `SpanData` of opentelemetry 0.14 in bincode 1.3 with default options, as agents of Kata 2.2 to 3.28 send it. See
/// `formats/agent-frames`.
package enum AgentBincode {
  package static func decode(
    _ payload: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(), into span: inout Span
  ) throws(CodecError) {
    span.removeAll()
    // The texts of the span are pieces of the payload: one copy instead of one for each.
    span.text.append(contentsOf: payload)
    var decoder = AgentBincodeDecoder(reader: ByteReader(payload), limits: limits)
    try decoder.decode(into: &span)
  }

  package static func encode(_ span: Span, to out: inout ByteWriter) {
    span.text.withUnsafeBytes { AgentBincodeEncoder(span: span, text: $0).encode(&out) }
  }
}

private struct AgentBincodeDecoder {
  var reader: ByteReader
  let limits: SpanLimits

  mutating func decode(into span: inout Span) throws(CodecError) {
    let context = try context(&span)
    span.setContext(context)
    span.parentID = SpanID(try reader.little(UInt64.self))
    span.kind = AgentKind.kinds[try variant(5)].kind
    span.name = try text()
    span.start = try time()
    span.end = try time()
    try attributes(&span)
    try events(&span)
    try links(&span)
    span.status = try status()
    span.statusMessage = try text()
    span.agent.hasResource = try reader.flag()
    if span.agent.hasResource { span.resource.attributes = try list(&span) }
    guard reader.isAtEnd else { throw reader.failure(.trailing) }
  }

  private mutating func context(_ span: inout Span) throws(CodecError) -> Span.Link {
    var context = Span.Link()
    context.traceID = TraceID(try reader.little(UInt128.self))
    context.spanID = SpanID(try reader.little(UInt64.self))
    context.flags = UInt32(try reader.byte())
    context.isRemote = try reader.flag()
    context.hasState = try reader.flag()
    if context.hasState {
      let first = span.states.count
      for _ in 0..<(try count(limits.attributes)) {
        span.states.append(Span.StateEntry(key: try text(), value: try text()))
      }
      context.traceState = Span.List(first, span.states.count - first)
    }
    return context
  }

  private mutating func attributes(_ span: inout Span) throws(CodecError) {
    let first = span.attributes.count
    _ = try list(&span)
    let keys = try count(limits.attributes)
    if keys <= 1, span.attributes.count - first <= 1 {
      if keys == 1 { _ = try text() }
      span.own = Span.List(first, span.attributes.count - first)
    } else {
      // Short enough for a list on the stack of this call.
      var newest: [Span.Text] = []
      newest.reserveCapacity(min(keys, limits.attributes))
      for _ in 0..<keys { newest.append(try text()) }
      span.orderAttributes(from: first, newest: newest)
    }
    span.agent.attributeLimit = try reader.little(UInt32.self)
    span.droppedAttributes = try reader.little(UInt32.self)
  }

  private mutating func events(_ span: inout Span) throws(CodecError) {
    span.agent.hasEvents = try reader.flag()
    if span.agent.hasEvents {
      for _ in 0..<(try count(limits.events)) {
        var event = Span.Event()
        event.name = try text()
        event.time = try time()
        event.attributes = try list(&span)
        event.dropped = try reader.little(UInt32.self)
        span.events.append(event)
      }
    }
    span.agent.eventLimit = try reader.little(UInt32.self)
    span.droppedEvents = try reader.little(UInt32.self)
  }

  private mutating func links(_ span: inout Span) throws(CodecError) {
    span.agent.hasLinks = try reader.flag()
    if span.agent.hasLinks {
      for _ in 0..<(try count(limits.links)) {
        var link = try context(&span)
        link.attributes = try list(&span)
        link.dropped = try reader.little(UInt32.self)
        link.setRemoteFlags()
        span.links.append(link)
      }
    }
    span.agent.linkLimit = try reader.little(UInt32.self)
    span.droppedLinks = try reader.little(UInt32.self)
  }

  /// Attributes, one after another in the pool.
  private mutating func list(_ span: inout Span) throws(CodecError) -> Span.List {
    let first = span.attributes.count
    let count = try count(limits.attributes)
    guard span.hasRoom(for: count, limits) else { throw reader.failure(.limit) }
    for _ in 0..<count {
      let attribute = try attribute(&span)
      span.attributes.append(attribute)
    }
    return Span.List(first, count)
  }

  @inline(__always)
  private mutating func attribute(_ span: inout Span) throws(CodecError) -> Span.Attribute {
    let key = try text()
    return Span.Attribute(key, try value(&span))
  }

  private mutating func value(_ span: inout Span) throws(CodecError) -> Span.Value {
    switch try variant(5) {
    case 0: return .bool(try reader.flag())
    case 1: return .int(try reader.little(Int64.self))
    case 2: return .double(Double(bitPattern: try reader.little(UInt64.self)))
    case 3: return .string(try text())
    default: return try array(&span)
    }
  }

  private mutating func array(_ span: inout Span) throws(CodecError) -> Span.Value {
    let type = Span.ElementType(rawValue: UInt8(try variant(4))) ?? .mixed
    let first = span.elements.count
    // An element takes a byte at least, so the count is bounded by the payload before anything is kept.
    let count = try reader.little(UInt64.self)
    guard count <= UInt64(reader.remaining) else { throw reader.failure(.truncated) }
    guard span.hasRoom(for: Int(count), limits) else { throw reader.failure(.limit) }
    for _ in 0..<count {
      switch type {
      case .bool: span.elements.append(.bool(try reader.flag()))
      case .int: span.elements.append(.int(try reader.little(Int64.self)))
      case .double: span.elements.append(.double(Double(bitPattern: try reader.little(UInt64.self))))
      default: span.elements.append(.string(try text()))
      }
    }
    return .array(Span.List(first, span.elements.count - first), type)
  }

  @inline(__always)
  private mutating func text() throws(CodecError) -> Span.Text {
    let length = try reader.little(UInt64.self)
    guard length <= UInt64(limits.textBytes) else { throw reader.failure(.limit) }
    let start = try reader.text(length)
    return Span.Text(start, Int(length))
  }

  private mutating func time() throws(CodecError) -> UInt64 {
    let seconds = try reader.little(UInt64.self)
    let fraction = try reader.little(UInt32.self)
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = scaled.addingReportingOverflow(UInt64(fraction))
    guard !overflow, !carry else { throw reader.failure(.number) }
    return sum
  }

  private mutating func count(_ limit: Int) throws(CodecError) -> Int {
    let count = try reader.little(UInt64.self)
    guard count <= UInt64(limit) else { throw reader.failure(.limit) }
    return Int(count)
  }

  private mutating func variant(_ bound: UInt32) throws(CodecError) -> Int {
    let number = try reader.little(UInt32.self)
    guard number < bound else { throw reader.failure(.tag) }
    return Int(number)
  }

  private mutating func status() throws(CodecError) -> Span.Status {
    Span.Status(rawValue: UInt8(try variant(3))) ?? .unset
  }
}

private struct AgentBincodeEncoder {
  let span: Span
  let text: UnsafeRawBufferPointer

  func encode(_ out: inout ByteWriter) {
    context(
      span.traceID, span.spanID, span.flags, span.agent.isRemote,
      span.agent.hasTraceState || !span.traceState.isEmpty ? span.traceState : nil, &out)
    out.little(span.parentID.value)
    out.little(UInt32(AgentKind.index(of: span.kind)))
    put(span.name, &out)
    time(span.start, &out)
    time(span.end, &out)
    ownAttributes(&out)
    out.put(span.agent.hasEvents || !span.events.isEmpty ? 1 : 0)
    if span.agent.hasEvents || !span.events.isEmpty {
      out.little(UInt64(span.events.count))
      for event in span.events {
        put(event.name, &out)
        time(event.time, &out)
        attributes(event.attributes, &out)
        out.little(event.dropped)
      }
    }
    out.little(span.agent.eventLimit)
    out.little(span.droppedEvents)
    links(&out)
    out.little(UInt32(span.status.rawValue))
    put(span.statusMessage, &out)
    out.put(span.agent.hasResource ? 1 : 0)
    if span.agent.hasResource { attributes(span.resource.attributes, &out) }
  }

  private func context(
    _ traceID: TraceID, _ spanID: SpanID, _ flags: UInt32, _ isRemote: Bool, _ state: Span.List?,
    _ out: inout ByteWriter
  ) {
    out.little(traceID.value)
    out.little(spanID.value)
    out.put(UInt8(truncatingIfNeeded: flags))
    out.put(isRemote ? 1 : 0)
    out.put(state == nil ? 0 : 1)
    guard let state else { return }
    let entries = span.states[clamping: state]
    out.little(UInt64(entries.count))
    for entry in entries {
      put(entry.key, &out)
      put(entry.value, &out)
    }
  }

  private func ownAttributes(_ out: inout ByteWriter) {
    let own = Array(span.attributes[clamping: span.own])
    out.little(UInt64(own.count))
    let order =
      span.agent.mapOrder.count == own.count ? span.agent.mapOrder.map { Int($0) } : Array(own.indices)
    for index in order where own.indices.contains(index) { attribute(own[index], &out) }
    out.little(UInt64(own.count))
    for attribute in own.reversed() { put(attribute.key, &out) }
    out.little(span.agent.attributeLimit)
    out.little(span.droppedAttributes)
  }

  private func links(_ out: inout ByteWriter) {
    let has = span.agent.hasLinks || !span.links.isEmpty
    out.put(has ? 1 : 0)
    if has {
      out.little(UInt64(span.links.count))
      for link in span.links {
        let state = link.hasState || !link.traceState.isEmpty ? link.traceState : nil
        context(link.traceID, link.spanID, link.flags, link.isRemote, state, &out)
        attributes(link.attributes, &out)
        out.little(link.dropped)
      }
    }
    out.little(span.agent.linkLimit)
    out.little(span.droppedLinks)
  }

  private func attributes(_ list: Span.List, _ out: inout ByteWriter) {
    let attributes = span.attributes[clamping: list]
    out.little(UInt64(attributes.count))
    for attribute in attributes { self.attribute(attribute, &out) }
  }

  private func attribute(_ attribute: Span.Attribute, _ out: inout ByteWriter) {
    put(attribute.key, &out)
    value(attribute.value, &out)
  }

  /// What bincode's `Value` has no variant for becomes text: bytes as base64, maps and mixed lists as JSON.
  private func value(_ value: Span.Value, _ out: inout ByteWriter) {
    switch value {
    case .bool(let value):
      out.little(UInt32(0))
      out.put(value ? 1 : 0)
    case .int(let value):
      out.little(UInt32(1))
      out.little(value)
    case .double(let value):
      out.little(UInt32(2))
      out.little(value.bitPattern)
    case .string(let piece):
      out.little(UInt32(3))
      put(piece, &out)
    case .array(let list, let type) where type != .mixed:
      out.little(UInt32(4))
      out.little(UInt32(type.rawValue))
      let elements = span.elements[clamping: list]
      out.little(UInt64(elements.count))
      for element in elements { self.element(element, &out) }
    default:
      let plain = ValueText.plain(value, of: span, text)
      out.little(UInt32(3))
      out.little(UInt64(plain.count))
      out.put(plain.bytes)
    }
  }

  private func element(_ element: Span.Value, _ out: inout ByteWriter) {
    switch element {
    case .bool(let value): out.put(value ? 1 : 0)
    case .int(let value): out.little(value)
    case .double(let value): out.little(value.bitPattern)
    case .string(let piece): put(piece, &out)
    default: break
    }
  }

  private func put(_ piece: Span.Text, _ out: inout ByteWriter) {
    let bytes = text[piece]
    out.little(UInt64(bytes.count))
    out.put(bytes)
  }

  private func time(_ value: UInt64, _ out: inout ByteWriter) {
    out.little(value / 1_000_000_000)
    out.little(UInt32(value % 1_000_000_000))
  }
}
