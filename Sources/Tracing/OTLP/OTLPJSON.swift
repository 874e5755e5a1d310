/// OTLP's traces in OTLP's own form of protobuf JSON: ids in hexadecimal, 64-bit integers as decimal texts, enumerations
/// as numbers, unknown members passed over. See `formats/otlp`.
package enum OTLPJSON {
  /// Appends `{"resource":…,"scopeSpans":[…]}` with this one span.
  package static func encodeResourceSpans(_ span: Span, to out: inout ByteWriter) {
    span.text.withUnsafeBytes { OTLPJSONEncoder(span: span, text: $0).resourceSpans(&out) }
  }

  /// Appends a whole `TracesData` object, the line of a collector's file.
  package static func encode(_ span: Span, to out: inout ByteWriter) {
    out.put("{\"resourceSpans\":[")
    encodeResourceSpans(span, to: &out)
    out.put("]}")
  }

  /// Decodes an `ExportTraceServiceRequest` or `TracesData` object: each span is handed to `body` in the same reused
  /// value.
  package static func decodeRequest(
    _ message: UnsafeRawBufferPointer, limits: SpanLimits = SpanLimits(),
    refused: (DecodingError) -> Void, _ body: (inout Span) -> Void
  ) throws(DecodingError) {
    var decoder = OTLPJSONDecoder(json: try JSONScanner(message), limits: limits)
    var span = Span()
    var more = try decoder.json.beginObject()
    while more {
      if try decoder.json.key() == "resourceSpans" {
        var another = try decoder.json.beginArray()
        while another {
          try decoder.resourceSpans(&span, refused, body)
          another = try decoder.json.another(0x5d)
        }
      } else {
        try decoder.json.skipValue()
      }
      more = try decoder.json.another(0x7d)
    }
    try decoder.json.finish()
  }
}

private struct OTLPJSONEncoder {
  let span: Span
  let text: UnsafeRawBufferPointer

  func resourceSpans(_ out: inout ByteWriter) {
    out.put("{\"resource\":{\"attributes\":")
    attributes(span.resource.attributes, &out)
    number(",\"droppedAttributesCount\":", span.resource.dropped, &out)
    out.put("},\"scopeSpans\":[{\"scope\":{")
    scope(&out)
    out.put("},\"spans\":[{")
    body(&out)
    out.put("}]")
    string(",\"schemaUrl\":", span.scope.schema, &out)
    out.put("}]")
    string(",\"schemaUrl\":", span.resource.schema, &out)
    out.put(0x7d)
  }

  private func scope(_ out: inout ByteWriter) {
    out.put("\"name\":")
    out.put(json: text[span.scope.name])
    string(",\"version\":", span.scope.version, &out)
    list(",\"attributes\":", span.scope.attributes, &out)
    number(",\"droppedAttributesCount\":", span.scope.dropped, &out)
  }

  private func body(_ out: inout ByteWriter) {
    identifiers(span.traceID, span.spanID, span.traceState, &out)
    if !span.parentID.isZero {
      out.put(",\"parentSpanId\":\"")
      out.put(hex: span.parentID.value)
      out.put(0x22)
    }
    number(",\"flags\":", span.flags, &out)
    out.put(",\"name\":")
    out.put(json: text[span.name])
    number(",\"kind\":", UInt32(span.kind.rawValue), &out)
    time(",\"startTimeUnixNano\":\"", span.start, &out)
    time(",\"endTimeUnixNano\":\"", span.end, &out)
    list(",\"attributes\":", span.own, &out)
    number(",\"droppedAttributesCount\":", span.droppedAttributes, &out)
    sequence(",\"events\":[", span.events, &out) { event, out in
      out.put("{\"timeUnixNano\":\"")
      out.put(decimal: event.time)
      out.put("\",\"name\":")
      out.put(json: text[event.name])
      list(",\"attributes\":", event.attributes, &out)
      number(",\"droppedAttributesCount\":", event.dropped, &out)
      out.put(0x7d)
    }
    number(",\"droppedEventsCount\":", span.droppedEvents, &out)
    sequence(",\"links\":[", span.links, &out) { link, out in
      out.put(0x7b)
      identifiers(link.traceID, link.spanID, link.traceState, &out)
      number(",\"flags\":", link.isRemote ? link.flags | 0x300 : link.flags, &out)
      list(",\"attributes\":", link.attributes, &out)
      number(",\"droppedAttributesCount\":", link.dropped, &out)
      out.put(0x7d)
    }
    number(",\"droppedLinksCount\":", span.droppedLinks, &out)
    out.put(",\"status\":{")
    if !span.statusMessage.isEmpty {
      out.put("\"message\":")
      out.put(json: text[span.statusMessage])
      if span.status != .unset { out.put(0x2c) }
    }
    if span.status != .unset {
      out.put("\"code\":")
      out.put(decimal: UInt64(span.status.rawValue))
    }
    out.put(0x7d)
  }

  private func identifiers(_ traceID: TraceID, _ spanID: SpanID, _ state: Span.List, _ out: inout ByteWriter)
  {
    out.put("\"traceId\":\"")
    out.put(hex: traceID)
    out.put("\",\"spanId\":\"")
    out.put(hex: spanID.value)
    out.put(0x22)
    guard !state.isEmpty else { return }
    var header = ByteWriter(capacity: 256)
    TraceStateText.put(span.states[clamping: state], text, to: &header)
    out.put(",\"traceState\":")
    out.put(json: header.bytes)
  }

  private func time(_ name: StaticString, _ value: UInt64, _ out: inout ByteWriter) {
    out.put(name)
    out.put(decimal: value)
    out.put(0x22)
  }

  private func number(_ name: StaticString, _ value: UInt32, _ out: inout ByteWriter) {
    guard value != 0 else { return }
    out.put(name)
    out.put(decimal: UInt64(value))
  }

  private func string(_ name: StaticString, _ piece: Span.Text, _ out: inout ByteWriter) {
    guard !piece.isEmpty else { return }
    out.put(name)
    out.put(json: text[piece])
  }

  private func list(_ name: StaticString, _ list: Span.List, _ out: inout ByteWriter) {
    guard !list.isEmpty else { return }
    out.put(name)
    attributes(list, &out)
  }

  private func sequence<T>(
    _ name: StaticString, _ items: [T], _ out: inout ByteWriter, _ put: (T, inout ByteWriter) -> Void
  ) {
    guard !items.isEmpty else { return }
    out.put(name)
    for (index, item) in items.enumerated() {
      if index > 0 { out.put(0x2c) }
      put(item, &out)
    }
    out.put(0x5d)
  }

  private func attributes(_ list: Span.List, _ out: inout ByteWriter, depth: Int = 0) {
    out.put(0x5b)
    var isFirst = true
    for attribute in span.attributes[clamping: list] where depth < 32 {
      if !isFirst { out.put(0x2c) }
      isFirst = false
      out.put("{\"key\":")
      out.put(json: text[attribute.key])
      out.put(",\"value\":")
      value(attribute.value, &out, depth: depth)
      out.put(0x7d)
    }
    out.put(0x5d)
  }

  private func value(_ value: Span.Value, _ out: inout ByteWriter, depth: Int) {
    switch value {
    case .empty: out.put(0x7b)
    case .bool(let value):
      out.put("{\"boolValue\":")
      ValueText.put(value, to: &out)
    case .int(let value):
      out.put("{\"intValue\":\"")
      out.put(decimal: value)
      out.put(0x22)
    case .double(let value):
      out.put("{\"doubleValue\":")
      ValueText.put(value, to: &out)
    case .string(let piece):
      out.put("{\"stringValue\":")
      out.put(json: text[piece])
    case .bytes(let piece):
      out.put("{\"bytesValue\":\"")
      Base64.put(text[piece], to: &out)
      out.put(0x22)
    case .array(let list, _):
      out.put("{\"arrayValue\":{\"values\":[")
      var isFirst = true
      for element in span.elements[clamping: list] where depth < 32 {
        if !isFirst { out.put(0x2c) }
        isFirst = false
        self.value(element, &out, depth: depth + 1)
      }
      out.put("]}")
    case .map(let list):
      out.put("{\"kvlistValue\":{\"values\":")
      attributes(list, &out, depth: depth + 1)
      out.put(0x7d)
    }
    out.put(0x7d)
  }
}

private struct OTLPJSONDecoder {
  var json: JSONScanner
  let limits: SpanLimits

  /// Members may come in any order, but a span needs its resource: objects are walked once to find it and once for the
  /// spans.
  mutating func resourceSpans(
    _ span: inout Span, _ refused: (DecodingError) -> Void, _ body: (inout Span) -> Void
  ) throws(DecodingError) {
    var resource: JSONScanner?
    var schema: JSONScanner?
    var lists: [JSONScanner] = []
    try members { (self, key) throws(DecodingError) in
      if key == "resource" { resource = self.json }
      if key == "schemaUrl" { schema = self.json }
      if key == "scopeSpans" { lists.append(self.json) }
      try self.json.skipValue()
    }
    let behind = json
    for list in lists {
      json = list
      var more = try json.beginArray()
      while more {
        try scopeSpans(resource, schema, &span, refused, body)
        more = try json.another(0x5d)
      }
    }
    json = behind
  }

  private mutating func scopeSpans(
    _ resource: JSONScanner?, _ schema: JSONScanner?, _ span: inout Span,
    _ refused: (DecodingError) -> Void, _ body: (inout Span) -> Void
  ) throws(DecodingError) {
    var scope: JSONScanner?
    var scopeSchema: JSONScanner?
    var lists: [JSONScanner] = []
    try members { (self, key) throws(DecodingError) in
      if key == "scope" { scope = self.json }
      if key == "schemaUrl" { scopeSchema = self.json }
      if key == "spans" { lists.append(self.json) }
      try self.json.skipValue()
    }
    let behind = json
    for list in lists {
      json = list
      var more = try json.beginArray()
      while more {
        let start = json
        do throws(DecodingError) {
          span.removeAll()
          if let schema { span.resource.schema = try text(at: schema, &span) }
          if let resource { try self.resource(at: resource, &span) }
          if let scopeSchema { span.scope.schema = try text(at: scopeSchema, &span) }
          if let scope { try self.scope(at: scope, &span) }
          json = start
          try self.span(&span)
          body(&span)
        } catch {
          refused(error)
          json = start
          try json.skipValue()
        }
        more = try json.another(0x5d)
      }
    }
    json = behind
  }

  private mutating func text(at place: JSONScanner, _ span: inout Span) throws(DecodingError) -> Span.Text {
    json = place
    return try json.text(&span, limits)
  }

  private mutating func resource(at place: JSONScanner, _ span: inout Span) throws(DecodingError) {
    json = place
    var resource = span.resource
    try members { (self, key) throws(DecodingError) in
      if key == "attributes" {
        resource.attributes = try self.attributes(&span)
      } else if key == "droppedAttributesCount" {
        resource.dropped = try self.count()
      } else {
        try self.json.skipValue()
      }
    }
    span.resource = resource
  }

  private mutating func scope(at place: JSONScanner, _ span: inout Span) throws(DecodingError) {
    json = place
    var scope = span.scope
    try members { (self, key) throws(DecodingError) in
      if key == "name" {
        scope.name = try self.json.text(&span, self.limits)
      } else if key == "version" {
        scope.version = try self.json.text(&span, self.limits)
      } else if key == "attributes" {
        scope.attributes = try self.attributes(&span)
      } else if key == "droppedAttributesCount" {
        scope.dropped = try self.count()
      } else {
        try self.json.skipValue()
      }
    }
    span.scope = scope
  }

  private mutating func span(_ span: inout Span) throws(DecodingError) {
    try members { (self, key) throws(DecodingError) in try self.spanMember(key, &span) }
    if span.traceID.value == 0 || span.spanID.isZero { throw json.failure(.identifier) }
  }

  private mutating func spanMember(_ key: UnsafeRawBufferPointer, _ span: inout Span) throws(DecodingError) {
    if key == "traceId" {
      span.traceID = TraceID(try hex(16))
    } else if key == "spanId" {
      span.spanID = SpanID(UInt64(truncatingIfNeeded: try hex(8)))
    } else if key == "parentSpanId" {
      span.parentID = SpanID(UInt64(truncatingIfNeeded: try hex(8, isOptional: true)))
    } else if key == "traceState" {
      span.traceState = span.keepTraceState(try json.text(&span, limits), limit: limits.attributes)
    } else if key == "flags" {
      span.flags = try count()
    } else if key == "name" {
      span.name = try json.text(&span, limits)
    } else if key == "kind" {
      span.kind = Span.Kind(rawValue: UInt8(truncatingIfNeeded: min(try count(), 255))) ?? .unspecified
    } else if key == "startTimeUnixNano" {
      span.start = try unsigned()
    } else if key == "endTimeUnixNano" {
      span.end = try unsigned()
    } else if key == "attributes" {
      span.own = try attributes(&span)
    } else if key == "droppedAttributesCount" {
      span.droppedAttributes = try count()
    } else if key == "droppedEventsCount" {
      span.droppedEvents = try count()
    } else if key == "droppedLinksCount" {
      span.droppedLinks = try count()
    } else if key == "events" {
      try elements { (self) throws(DecodingError) in try self.event(&span) }
    } else if key == "links" {
      try elements { (self) throws(DecodingError) in try self.link(&span) }
    } else if key == "status" {
      try members { (self, key) throws(DecodingError) in
        if key == "message" {
          span.statusMessage = try self.json.text(&span, self.limits)
        } else if key == "code" {
          span.status = Span.Status(rawValue: UInt8(truncatingIfNeeded: min(try self.count(), 255))) ?? .unset
        } else {
          try self.json.skipValue()
        }
      }
    } else {
      try json.skipValue()
    }
  }

  private mutating func event(_ span: inout Span) throws(DecodingError) {
    guard span.events.count < limits.events else { throw json.failure(.limit) }
    var event = Span.Event()
    try members { (self, key) throws(DecodingError) in
      if key == "timeUnixNano" {
        event.time = try self.unsigned()
      } else if key == "name" {
        event.name = try self.json.text(&span, self.limits)
      } else if key == "attributes" {
        event.attributes = try self.attributes(&span)
      } else if key == "droppedAttributesCount" {
        event.dropped = try self.count()
      } else {
        try self.json.skipValue()
      }
    }
    span.events.append(event)
  }

  private mutating func link(_ span: inout Span) throws(DecodingError) {
    guard span.links.count < limits.links else { throw json.failure(.limit) }
    var link = Span.Link()
    try members { (self, key) throws(DecodingError) in
      if key == "traceId" {
        link.traceID = TraceID(try self.hex(16))
      } else if key == "spanId" {
        link.spanID = SpanID(UInt64(truncatingIfNeeded: try self.hex(8)))
      } else if key == "traceState" {
        link.traceState = span.keepTraceState(
          try self.json.text(&span, self.limits), limit: self.limits.attributes)
      } else if key == "flags" {
        link.flags = try self.count()
      } else if key == "attributes" {
        link.attributes = try self.attributes(&span)
      } else if key == "droppedAttributesCount" {
        link.dropped = try self.count()
      } else {
        try self.json.skipValue()
      }
    }
    link.isRemote = link.flags & 0x300 == 0x300
    span.links.append(link)
  }

  // MARK: Values

  private mutating func attributes(_ span: inout Span, depth: Int = 0) throws(DecodingError) -> Span.List {
    guard depth <= limits.depth else { throw json.failure(.limit) }
    var found: [Span.Attribute] = []
    try elements { (self) throws(DecodingError) in
      guard found.count < self.limits.attributes else { throw self.json.failure(.limit) }
      var attribute = Span.Attribute(.none, .empty)
      try self.members { (self, key) throws(DecodingError) in
        if key == "key" {
          attribute.key = try self.json.text(&span, self.limits)
        } else if key == "value" {
          attribute.value = try self.value(&span, depth)
        } else {
          try self.json.skipValue()
        }
      }
      found.append(attribute)
    }
    let first = span.attributes.count
    span.attributes.append(contentsOf: found)
    return Span.List(first, found.count)
  }

  private mutating func value(_ span: inout Span, _ depth: Int) throws(DecodingError) -> Span.Value {
    var value = Span.Value.empty
    try members { (self, key) throws(DecodingError) in
      if key == "stringValue" {
        value = .string(try self.json.text(&span, self.limits))
      } else if key == "boolValue" {
        value = .bool(try self.json.bool())
      } else if key == "intValue" {
        value = .int(try self.signed())
      } else if key == "doubleValue" {
        value = .double(try self.double())
      } else if key == "bytesValue" {
        guard let bytes = Base64.decode(Array(try self.json.string().utf8)) else { throw self.json.failure() }
        value = .bytes(Span.Text(span.text.count, bytes.count))
        span.text.append(contentsOf: bytes)
      } else if key == "arrayValue" {
        value = try self.array(&span, depth + 1)
      } else if key == "kvlistValue" {
        var list = Span.List.none
        try self.members { (self, key) throws(DecodingError) in
          if key == "values" {
            list = try self.attributes(&span, depth: depth + 1)
          } else {
            try self.json.skipValue()
          }
        }
        value = .map(list)
      } else {
        try self.json.skipValue()
      }
    }
    return value
  }

  private mutating func array(_ span: inout Span, _ depth: Int) throws(DecodingError) -> Span.Value {
    guard depth <= limits.depth else { throw json.failure(.limit) }
    var found: [Span.Value] = []
    try members { (self, key) throws(DecodingError) in
      guard key == "values" else { return try self.json.skipValue() }
      try self.elements { (self) throws(DecodingError) in found.append(try self.value(&span, depth)) }
    }
    return span.keepArray(found)
  }

  // MARK: Pieces

  private mutating func members(
    _ body: (inout OTLPJSONDecoder, UnsafeRawBufferPointer) throws(DecodingError) -> Void
  ) throws(DecodingError) {
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      // protobuf's JSON form takes null for any member as the member's default.
      if json.peek() == 0x6e { try json.skipValue() } else { try body(&self, key) }
      more = try json.another(0x7d)
    }
  }

  private mutating func elements(_ body: (inout OTLPJSONDecoder) throws(DecodingError) -> Void)
    throws(DecodingError)
  {
    var more = try json.beginArray()
    while more {
      try body(&self)
      more = try json.another(0x5d)
    }
  }

  private mutating func hex(_ bytes: Int, isOptional: Bool = false) throws(DecodingError) -> UInt128 {
    let text = try json.string()
    if isOptional, text.isEmpty { return 0 }
    guard text.utf8.count == bytes * 2, let id = TraceID(hex: text) else { throw json.failure(.identifier) }
    return id.value
  }

  /// A 64-bit integer, as a text or as a number.
  private mutating func unsigned() throws(DecodingError) -> UInt64 {
    let isText = json.take(0x22)
    let value = try json.unsigned(UInt64.self)
    if isText { try json.expect(0x22) }
    return value
  }

  private mutating func signed() throws(DecodingError) -> Int64 {
    let isText = json.take(0x22)
    let value = try json.signed()
    if isText { try json.expect(0x22) }
    return value
  }

  private mutating func count() throws(DecodingError) -> UInt32 { UInt32(clamping: try unsigned()) }

  private mutating func double() throws(DecodingError) -> Double {
    guard json.peek() == 0x22 else { return try json.double() }
    let text = try json.string()
    switch text {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default:
      guard let value = Double(text) else { throw json.failure(.number) }
      return value
    }
  }
}
