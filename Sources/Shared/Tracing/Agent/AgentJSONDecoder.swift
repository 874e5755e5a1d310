import Bytes
import Encodings

/// Reads `SpanData` member by member into the span.
struct AgentJSONDecoder {
  var json: JSONScanner
  let limits: SpanLimits

  mutating func decode(into span: inout Span) throws(CodecError) {
    var seen: UInt32 = 0
    var more = try json.beginObject()
    while more {
      let bit = try member(try json.key(), &span)
      // serde takes no member twice either.
      guard seen & bit == 0 else { throw json.failure() }
      seen |= bit
      more = try json.another(0x7d)
    }
    try json.finish()
    guard seen == 0xfff else { throw json.failure(.missing) }
  }

  /// Reads one member, and tells by a bit which of the twelve it was.
  private mutating func member(_ key: UnsafeRawBufferPointer, _ span: inout Span) throws(CodecError)
    -> UInt32
  {
    if key == "span_context" {
      let context = try context(&span)
      span.setContext(context)
      return 1
    }
    if key == "parent_span_id" {
      span.parentID = SpanID(try json.unsigned(UInt64.self))
      return 2
    }
    if key == "span_kind" {
      span.kind = try kind()
      return 4
    }
    if key == "name" {
      span.name = try json.text(&span, limits)
      return 8
    }
    if key == "start_time" {
      span.start = try time()
      return 16
    }
    if key == "end_time" {
      span.end = try time()
      return 32
    }
    return try laterMember(key, &span)
  }

  private mutating func laterMember(
    _ key: UnsafeRawBufferPointer, _ span: inout Span
  ) throws(CodecError) -> UInt32 {
    if key == "attributes" {
      try attributes(&span)
      return 64
    }
    if key == "events" {
      (span.agent.hasEvents, span.agent.eventLimit, span.droppedEvents) = try queue(&span) {
        (self, span) throws(CodecError) in
        guard span.events.count < self.limits.events else { throw self.json.failure(.limit) }
        let event = try self.event(&span)
        span.events.append(event)
      }
      return 128
    }
    if key == "links" {
      (span.agent.hasLinks, span.agent.linkLimit, span.droppedLinks) = try queue(&span) {
        (self, span) throws(CodecError) in
        guard span.links.count < self.limits.links else { throw self.json.failure(.limit) }
        let link = try self.link(&span)
        span.links.append(link)
      }
      return 256
    }
    if key == "status_code" {
      span.status = try status()
      return 512
    }
    if key == "status_message" {
      span.statusMessage = try json.text(&span, limits)
      return 1024
    }
    if key == "resource" {
      try resource(&span)
      return 2048
    }
    try json.skipValue()
    return 0
  }

  // MARK: Parts

  private mutating func context(_ span: inout Span) throws(CodecError) -> Span.Link {
    var context = Span.Link()
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      if key == "trace_id" {
        context.traceID = TraceID(try json.unsigned(UInt128.self))
      } else if key == "span_id" {
        context.spanID = SpanID(try json.unsigned(UInt64.self))
      } else if key == "trace_flags" {
        context.flags = UInt32(try json.unsigned(UInt8.self))
      } else if key == "is_remote" {
        context.isRemote = try json.bool()
      } else if key == "trace_state" {
        context.hasState = !(try json.takeNull())
        if context.hasState { context.traceState = try traceState(&span) }
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
    return context
  }

  private mutating func traceState(_ span: inout Span) throws(CodecError) -> Span.List {
    let first = span.states.count
    var more = try json.beginArray()
    while more {
      guard span.states.count - first < limits.attributes else { throw json.failure(.limit) }
      try json.expect(0x5b)
      let key = try json.text(&span, limits)
      try json.expect(0x2c)
      let value = try json.text(&span, limits)
      try json.expect(0x5d)
      span.states.append(Span.StateEntry(key: key, value: value))
      more = try json.another(0x5d)
    }
    return Span.List(first, span.states.count - first)
  }

  private mutating func attributes(_ span: inout Span) throws(CodecError) {
    let first = span.attributes.count
    var newest: [Span.Text] = []
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      if key == "map" {
        guard span.attributes.count == first else { throw json.failure() }
        _ = try map(&span)
      } else if key == "evict_list" {
        var another = try json.beginArray()
        while another {
          guard newest.count < limits.attributes else { throw json.failure(.limit) }
          newest.append(try json.text(&span, limits))
          another = try json.another(0x5d)
        }
      } else if key == "max_len" {
        span.agent.attributeLimit = try json.unsigned(UInt32.self)
      } else if key == "dropped_count" {
        span.droppedAttributes = try json.unsigned(UInt32.self)
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
    span.orderAttributes(from: first, newest: newest)
  }

  /// `{"key":VALUE…}`, as attributes at the end of the pool.
  private mutating func map(_ span: inout Span) throws(CodecError) -> Span.List {
    let first = span.attributes.count
    var more = try json.beginObject()
    while more {
      guard span.attributes.count - first < limits.attributes, span.hasRoom(for: 1, limits) else {
        throw json.failure(.limit)
      }
      let key = try json.text(&span, limits)
      try json.expect(0x3a)
      let value = try value(&span)
      span.attributes.append(Span.Attribute(key, value))
      more = try json.another(0x7d)
    }
    return Span.List(first, span.attributes.count - first)
  }

  /// `[{"key":…,"value":VALUE}…]`, as attributes at the end of the pool.
  private mutating func list(_ span: inout Span) throws(CodecError) -> Span.List {
    let first = span.attributes.count
    var more = try json.beginArray()
    while more {
      guard span.attributes.count - first < limits.attributes, span.hasRoom(for: 1, limits) else {
        throw json.failure(.limit)
      }
      var attribute = Span.Attribute(.none, .empty)
      var inner = try json.beginObject()
      while inner {
        let key = try json.key()
        if key == "key" {
          attribute.key = try json.text(&span, limits)
        } else if key == "value" {
          attribute.value = try value(&span)
        } else {
          try json.skipValue()
        }
        inner = try json.another(0x7d)
      }
      if case .empty = attribute.value { throw json.failure(.missing) }
      span.attributes.append(attribute)
      more = try json.another(0x5d)
    }
    return Span.List(first, span.attributes.count - first)
  }

  private mutating func queue(
    _ span: inout Span, _ element: (inout AgentJSONDecoder, inout Span) throws(CodecError) -> Void
  ) throws(CodecError) -> (Bool, UInt32, UInt32) {
    var result: (has: Bool, limit: UInt32, dropped: UInt32) = (false, 128, 0)
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      if key == "queue" {
        result.has = !(try json.takeNull())
        var another = result.has ? try json.beginArray() : false
        while another {
          try element(&self, &span)
          another = try json.another(0x5d)
        }
      } else if key == "max_len" {
        result.limit = try json.unsigned(UInt32.self)
      } else if key == "dropped_count" {
        result.dropped = try json.unsigned(UInt32.self)
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
    return result
  }

  private mutating func event(_ span: inout Span) throws(CodecError) -> Span.Event {
    var event = Span.Event()
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      if key == "name" {
        event.name = try json.text(&span, limits)
      } else if key == "timestamp" {
        event.time = try time()
      } else if key == "attributes" {
        event.attributes = try list(&span)
      } else if key == "dropped_attributes_count" {
        event.dropped = try json.unsigned(UInt32.self)
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
    return event
  }

  private mutating func link(_ span: inout Span) throws(CodecError) -> Span.Link {
    var link = Span.Link()
    var more = try json.beginObject()
    while more {
      let key = try json.key()
      if key == "span_context" {
        let context = try context(&span)
        (link.traceID, link.spanID, link.flags) = (context.traceID, context.spanID, context.flags)
        (link.isRemote, link.hasState, link.traceState) = (
          context.isRemote, context.hasState, context.traceState
        )
      } else if key == "attributes" {
        link.attributes = try list(&span)
      } else if key == "dropped_attributes_count" {
        link.dropped = try json.unsigned(UInt32.self)
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
    link.setRemoteFlags()
    return link
  }

  private mutating func resource(_ span: inout Span) throws(CodecError) {
    span.agent.hasResource = !(try json.takeNull())
    guard span.agent.hasResource else { return }
    var more = try json.beginObject()
    while more {
      if try json.key() == "attrs" {
        span.resource.attributes = try map(&span)
      } else {
        try json.skipValue()
      }
      more = try json.another(0x7d)
    }
  }
}
