import Bytes
import Encodings

/// Reads the spans of a request; members may come in any order.
struct OTLPJSONDecoder {
  var json: JSONScanner
  let limits: SpanLimits
  private var budget: RequestBudget

  init(json: JSONScanner, limits: SpanLimits) {
    self.json = json
    self.limits = limits
    budget = RequestBudget(limits)
  }

  /// Members may come in any order, but a span needs its resource: objects are walked once to find it and once for the
  /// spans.
  mutating func resourceSpans(
    _ span: inout Span, _ refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var resource: JSONScanner?
    var schema: JSONScanner?
    var lists: [JSONScanner] = []
    try members { (self, key) throws(CodecError) in
      if key == "resource" { resource = self.json }
      if key == "schemaUrl" { schema = self.json }
      if key == "scopeSpans" { lists.append(self.json) }
      try self.json.skipValue()
    }
    let after = json
    var common = Span()
    var problem: CodecError?
    do throws(CodecError) {
      if let schema { common.resource.schema = try text(at: schema, &common) }
      if let resource { try self.resource(at: resource, &common) }
    } catch { problem = error }
    for list in lists {
      json = list
      var more = try json.beginArray()
      while more {
        try scopeSpans(of: common, problem, &span, refused, body)
        more = try json.another(0x5d)
      }
    }
    json = after
  }

  /// The spans of one scope of the resource that `common` has, or whose `problem` they all share.
  private mutating func scopeSpans(
    of common: Span, _ problem: CodecError?, _ span: inout Span,
    _ refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var common = common
    var problem = problem
    var scope: JSONScanner?
    var scopeSchema: JSONScanner?
    var lists: [JSONScanner] = []
    try members { (self, key) throws(CodecError) in
      if key == "scope" { scope = self.json }
      if key == "schemaUrl" { scopeSchema = self.json }
      if key == "spans" { lists.append(self.json) }
      try self.json.skipValue()
    }
    let after = json
    do throws(CodecError) {
      if let scopeSchema { common.scope.schema = try text(at: scopeSchema, &common) }
      if let scope { try self.scope(at: scope, &common) }
    } catch { problem = problem ?? error }
    try budget.charge(common, at: after.position)
    for list in lists {
      json = list
      var more = try json.beginArray()
      while more {
        let start = json
        // A copy, as the span is read by the decoder that the budget is part of.
        var budget = budget
        let failure = try budget.next(&span, of: common, problem, at: start.position) {
          span throws(CodecError) in try self.span(&span)
        }
        self.budget = budget
        if let failure {
          refused(failure)
          json = start
          try json.skipValue()
        } else {
          body(&span)
        }
        more = try json.another(0x5d)
      }
    }
    json = after
  }

  private mutating func text(at place: JSONScanner, _ span: inout Span) throws(CodecError) -> Span.Text {
    json = place
    return try json.text(&span, limits)
  }

  private mutating func resource(at place: JSONScanner, _ span: inout Span) throws(CodecError) {
    json = place
    var resource = span.resource
    try members { (self, key) throws(CodecError) in
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

  private mutating func scope(at place: JSONScanner, _ span: inout Span) throws(CodecError) {
    json = place
    var scope = span.scope
    try members { (self, key) throws(CodecError) in
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

  private mutating func span(_ span: inout Span) throws(CodecError) {
    try members { (self, key) throws(CodecError) in try self.spanMember(key, &span) }
    if span.traceID.value == 0 || span.spanID.isZero { throw json.failure(.identifier) }
  }

  private mutating func spanMember(_ key: UnsafeRawBufferPointer, _ span: inout Span) throws(CodecError) {
    if key == "traceId" {
      span.traceID = TraceID(try hex(16))
    } else if key == "spanId" {
      span.spanID = SpanID(UInt64(truncatingIfNeeded: try hex(8)))
    } else if key == "parentSpanId" {
      span.parentID = SpanID(UInt64(truncatingIfNeeded: try hex(8, isOptional: true)))
    } else if key == "traceState" {
      span.traceState = try span.keepTraceState(try json.text(&span, limits), limits)
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
      try elements { (self) throws(CodecError) in try self.event(&span) }
    } else if key == "links" {
      try elements { (self) throws(CodecError) in try self.link(&span) }
    } else if key == "status" {
      try members { (self, key) throws(CodecError) in
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

  private mutating func event(_ span: inout Span) throws(CodecError) {
    guard span.events.count < limits.events else { throw json.failure(.limit) }
    var event = Span.Event()
    try members { (self, key) throws(CodecError) in
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

  private mutating func link(_ span: inout Span) throws(CodecError) {
    guard span.links.count < limits.links else { throw json.failure(.limit) }
    var link = Span.Link()
    try members { (self, key) throws(CodecError) in
      if key == "traceId" {
        link.traceID = TraceID(try self.hex(16))
      } else if key == "spanId" {
        link.spanID = SpanID(UInt64(truncatingIfNeeded: try self.hex(8)))
      } else if key == "traceState" {
        link.traceState = try span.keepTraceState(try self.json.text(&span, self.limits), self.limits)
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

  private mutating func attributes(_ span: inout Span, depth: Int = 0) throws(CodecError) -> Span.List {
    guard depth <= limits.depth else { throw json.failure(.limit) }
    var found: [Span.Attribute] = []
    try elements { (self) throws(CodecError) in
      guard found.count < self.limits.attributes, span.hasRoom(for: found.count + 1, self.limits) else {
        throw self.json.failure(.limit)
      }
      var attribute = Span.Attribute(.none, .empty)
      try self.members { (self, key) throws(CodecError) in
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

  private mutating func value(_ span: inout Span, _ depth: Int) throws(CodecError) -> Span.Value {
    var value = Span.Value.empty
    try members { (self, key) throws(CodecError) in
      if key == "stringValue" {
        value = .string(try self.json.text(&span, self.limits))
      } else if key == "boolValue" {
        value = .bool(try self.json.bool())
      } else if key == "intValue" {
        value = .int(try self.signed())
      } else if key == "doubleValue" {
        value = .double(try self.double())
      } else if key == "bytesValue" {
        guard let bytes = Base64.decode(try self.json.string().utf8) else { throw self.json.failure() }
        guard bytes.count <= self.limits.textBytes else { throw self.json.failure(.limit) }
        value = .bytes(Span.Text(span.text.count, bytes.count))
        span.text.append(contentsOf: bytes)
      } else if key == "arrayValue" {
        value = try self.array(&span, depth + 1)
      } else if key == "kvlistValue" {
        var list = Span.List.none
        try self.members { (self, key) throws(CodecError) in
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

  private mutating func array(_ span: inout Span, _ depth: Int) throws(CodecError) -> Span.Value {
    guard depth <= limits.depth else { throw json.failure(.limit) }
    var found: [Span.Value] = []
    try members { (self, key) throws(CodecError) in
      guard key == "values" else { return try self.json.skipValue() }
      try self.elements { (self) throws(CodecError) in
        guard span.hasRoom(for: found.count + 1, self.limits) else { throw self.json.failure(.limit) }
        found.append(try self.value(&span, depth))
      }
    }
    return span.keepArray(found)
  }

  // MARK: Pieces

  private mutating func members(
    _ body: (inout OTLPJSONDecoder, UnsafeRawBufferPointer) throws(CodecError) -> Void
  ) throws(CodecError) {
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      // protobuf's JSON form takes null for any member as the member's default.
      if json.peek() == 0x6e { try json.skipValue() } else { try body(&self, key) }
      more = try json.another(0x7d)
    }
  }

  private mutating func elements(_ body: (inout OTLPJSONDecoder) throws(CodecError) -> Void)
    throws(CodecError)
  {
    var more = try json.beginArray()
    while more {
      try body(&self)
      more = try json.another(0x5d)
    }
  }

  private mutating func hex(_ bytes: Int, isOptional: Bool = false) throws(CodecError) -> UInt128 {
    let text = try json.string()
    if isOptional, text.isEmpty { return 0 }
    guard text.utf8.count == bytes * 2, let id = TraceID(hex: text) else { throw json.failure(.identifier) }
    return id.value
  }

  /// A 64-bit integer, as a text or as a number.
  private mutating func unsigned() throws(CodecError) -> UInt64 { try json.quotedUnsigned() }

  private mutating func signed() throws(CodecError) -> Int64 { try json.quotedSigned() }

  private mutating func count() throws(CodecError) -> UInt32 { UInt32(clamping: try unsigned()) }

  private mutating func double() throws(CodecError) -> Double { try json.quotedDouble() }
}
