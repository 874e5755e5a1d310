import Bytes
import Encodings

/// Reads the binary protocol. Only what it finds is kept, so the size of the message bounds the memory.
struct JaegerThriftDecoder {
  var reader: ByteReader
  let bytes: UnsafeRawBufferPointer
  let limits: SpanLimits

  mutating func batch(
    _ refused: (CodecError) -> Void, _ body: (inout Span) -> Void
  ) throws(CodecError) {
    var process: ByteReader?
    var spans: (list: ByteReader, count: Int)?
    while let (number, type) = try field() {
      switch (number, type) {
      case (1, .struct):
        process = reader
        try skip(.struct)
      case (2, .list):
        let count = try list(of: .struct)
        spans = (reader, count)
        for _ in 0..<count { try skip(.struct) }
      default: try skip(type)
      }
    }
    guard reader.isAtEnd else { throw reader.failure(.trailing) }
    guard let process, let spans else { throw reader.failure(.missing) }
    var common = Span()
    var problem: CodecError?
    reader = process
    do throws(CodecError) { try self.process(&common) } catch { problem = error }
    var budget = RequestBudget(limits)
    var span = Span()
    reader = spans.list
    for _ in 0..<spans.count {
      let start = reader
      let failure = try budget.next(&span, of: common, problem, at: start.position) {
        span throws(CodecError) in try self.span(&span)
      }
      if let failure {
        refused(failure)
        reader = start
        try skip(.struct)
      } else {
        body(&span)
      }
    }
  }

  private mutating func process(_ span: inout Span) throws(CodecError) {
    var found: [Span.Attribute] = []
    while let (number, type) = try field() {
      switch (number, type) {
      case (1, .string): found.append(Span.Attribute(span.intern("service.name"), .string(try text(&span))))
      case (2, .list): found += try tags(&span)
      default: try skip(type)
      }
    }
    span.resource.attributes = keep(found, &span)
  }

  private mutating func span(_ span: inout Span) throws(CodecError) {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var start: Int64 = 0
    var duration: Int64 = 0
    while let (number, type) = try field() {
      switch (number, type) {
      case (1, .i64): low = try reader.big(UInt64.self)
      case (2, .i64): high = try reader.big(UInt64.self)
      case (3, .i64): span.spanID = SpanID(try reader.big(UInt64.self))
      case (4, .i64): span.parentID = SpanID(try reader.big(UInt64.self))
      case (5, .string): span.name = try text(&span)
      case (6, .list): try references(&span)
      case (7, .i32): span.flags = try reader.big(UInt32.self) & 0xff
      case (8, .i64): start = try reader.big(Int64.self)
      case (9, .i64): duration = try reader.big(Int64.self)
      case (10, .list): try interpret(try tags(&span), &span)
      case (11, .list): try logs(&span)
      default: try skip(type)
      }
    }
    span.traceID = TraceID(high: high, low: low)
    if span.traceID.value == 0 || span.spanID.isZero { throw reader.failure(.identifier) }
    span.links.removeAll { link in
      guard link.flags == Self.parentMark else { return false }
      guard span.parentID.isZero, link.traceID == span.traceID else { return link.spanID == span.parentID }
      span.parentID = link.spanID
      return true
    }
    for index in span.links.indices { span.links[index].flags = 0 }
    span.start = try nanoseconds(start)
    span.end = try nanoseconds(start.addingReportingOverflow(max(0, duration)).partialValue)
  }

  private func nanoseconds(_ microseconds: Int64) throws(CodecError) -> UInt64 {
    guard let value = UInt64(exactly: microseconds), value <= UInt64.max / 1000 else {
      throw reader.failure(.number)
    }
    return value * 1000
  }

  /// Marks a CHILD_OF reference until the span's parent is known.
  private static let parentMark: UInt32 = .max

  private mutating func references(_ span: inout Span) throws(CodecError) {
    for _ in 0..<(try list(of: .struct)) {
      guard span.links.count < limits.links else { throw reader.failure(.limit) }
      var link = Span.Link()
      var low: UInt64 = 0
      var high: UInt64 = 0
      while let (number, type) = try field() {
        switch (number, type) {
        case (1, .i32): link.flags = try reader.big(Int32.self) == 0 ? Self.parentMark : 0
        case (2, .i64): low = try reader.big(UInt64.self)
        case (3, .i64): high = try reader.big(UInt64.self)
        case (4, .i64): link.spanID = SpanID(try reader.big(UInt64.self))
        default: try skip(type)
        }
      }
      link.traceID = TraceID(high: high, low: low)
      span.links.append(link)
    }
  }

  private mutating func logs(_ span: inout Span) throws(CodecError) {
    for _ in 0..<(try list(of: .struct)) {
      guard span.events.count < limits.events else { throw reader.failure(.limit) }
      var event = Span.Event()
      var fields: [Span.Attribute] = []
      while let (number, type) = try field() {
        switch (number, type) {
        case (1, .i64): event.time = try nanoseconds(try reader.big(Int64.self))
        case (2, .list): fields = try tags(&span)
        default: try skip(type)
        }
      }
      // Jaeger's and OpenTracing's clients name an event in a field.
      if let index = fields.firstIndex(where: { span.string($0.key) == "event" }),
        case .string(let name) = fields[index].value, !name.isEmpty
      {
        event.name = name
        fields.remove(at: index)
      }
      if let last = fields.last, span.string(last.key) == "otel.dropped_attributes_count",
        case .int(let number) = last.value, number > 0, let count = UInt32(exactly: number)
      {
        event.dropped = count
        fields.removeLast()
      }
      event.attributes = keep(fields, &span)
      span.events.append(event)
    }
  }

  /// Turns the tags for fields of OpenTelemetry's model into these fields, as the Jaeger receivers of collectors do.
  private func interpret(_ tags: [Span.Attribute], _ span: inout Span) throws(CodecError) {
    var own: [Span.Attribute] = []
    var error: Span.Attribute?
    for tag in tags {
      let key = span.string(tag.key)
      switch (key, tag.value) {
      case ("span.kind", .string(let value)):
        guard let kind = kind(span.string(value)) else {
          own.append(tag)
          continue
        }
        span.kind = kind
      case ("otel.status_code", .string(let value)):
        switch span.string(value) {
        case "OK": span.status = .ok
        case "ERROR": span.status = .error
        default: own.append(tag)
        }
      case ("otel.status_description", .string(let value)): span.statusMessage = value
      case ("otel.scope.name", .string(let value)), ("otel.library.name", .string(let value)):
        span.scope.name = value
      case ("otel.scope.version", .string(let value)), ("otel.library.version", .string(let value)):
        span.scope.version = value
      case ("w3c.tracestate", .string(let value)):
        span.traceState = try span.keepTraceState(value, limits)
      case ("error", .bool(true)): error = tag
      case ("otel.dropped_attributes_count", .int(0...0xffff_ffff)): span.droppedAttributes = count(tag)
      case ("otel.dropped_events_count", .int(0...0xffff_ffff)): span.droppedEvents = count(tag)
      case ("otel.dropped_links_count", .int(0...0xffff_ffff)): span.droppedLinks = count(tag)
      default: own.append(tag)
      }
    }
    if let error {
      if span.status == .ok { own.append(error) } else { span.status = .error }
    }
    span.own = keep(own, &span)
  }

  private func count(_ tag: Span.Attribute) -> UInt32 {
    if case .int(let value) = tag.value { UInt32(clamping: value) } else { 0 }
  }

  private func kind(_ text: String) -> Span.Kind? {
    switch text {
    case "client": .client
    case "server": .server
    case "producer": .producer
    case "consumer": .consumer
    case "internal": .internal
    default: nil
    }
  }

  private func keep(_ attributes: [Span.Attribute], _ span: inout Span) -> Span.List {
    let first = span.attributes.count
    span.attributes.append(contentsOf: attributes)
    return Span.List(first, attributes.count)
  }

  private mutating func tags(_ span: inout Span) throws(CodecError) -> [Span.Attribute] {
    let count = try list(of: .struct)
    guard count <= limits.attributes, span.hasRoom(for: count, limits) else { throw reader.failure(.limit) }
    var result: [Span.Attribute] = []
    for _ in 0..<count { result.append(try tag(&span)) }
    return result
  }

  private mutating func tag(_ span: inout Span) throws(CodecError) -> Span.Attribute {
    var key = Span.Text.none
    var kind: Int32 = 0
    // A value that is left out is its type's zero, as in Jaeger.
    var values: [Span.Value] = [.string(.none), .double(0), .bool(false), .int(0), .bytes(.none)]
    while let (number, type) = try field() {
      switch (number, type) {
      case (1, .string): key = try text(&span)
      case (2, .i32): kind = try reader.big(Int32.self)
      case (3, .string): values[0] = .string(try text(&span))
      case (4, .double): values[1] = .double(Double(bitPattern: try reader.big(UInt64.self)))
      case (5, .bool): values[2] = .bool(try reader.byte() != 0)
      case (6, .i64): values[3] = .int(try reader.big(Int64.self))
      case (7, .string): values[4] = .bytes(try text(&span, isText: false))
      default: try skip(type)
      }
    }
    guard values.indices.contains(Int(kind)) else { throw reader.failure(.tag) }
    return Span.Attribute(key, values[Int(kind)])
  }

  // MARK: The protocol

  /// The next field of this structure; nil at its end.
  private mutating func field() throws(CodecError) -> (Int16, ThriftType)? {
    let code = try reader.byte()
    if code == 0 { return nil }
    guard let type = ThriftType(rawValue: code) else { throw reader.failure(.tag) }
    return (try reader.big(Int16.self), type)
  }

  /// Begins a list; an element takes a byte at least.
  private mutating func list(of wanted: ThriftType) throws(CodecError) -> Int {
    let type = try reader.byte()
    let count = try reader.big(Int32.self)
    guard count == 0 || type == wanted.rawValue else { throw reader.failure(.tag) }
    guard count >= 0, Int(count) <= reader.remaining else { throw reader.failure(.truncated) }
    return Int(count)
  }

  private mutating func text(_ span: inout Span, isText: Bool = true) throws(CodecError) -> Span.Text {
    let length = try reader.big(UInt32.self)
    guard length <= limits.textBytes else { throw reader.failure(.limit) }
    let start = isText ? try reader.text(UInt64(length)) : try reader.skip(UInt64(length))
    let offset = span.text.count
    span.text.append(contentsOf: bytes.part(start..<start + Int(length)))
    return Span.Text(offset, Int(length))
  }

  private mutating func skip(_ type: ThriftType, depth: Int = 0) throws(CodecError) {
    guard depth < 16 else { throw reader.failure(.limit) }
    switch type {
    case .bool, .byte: _ = try reader.skip(1)
    case .i16: _ = try reader.skip(2)
    case .i32: _ = try reader.skip(4)
    case .i64, .double: _ = try reader.skip(8)
    case .string: _ = try reader.skip(UInt64(try reader.big(UInt32.self)))
    case .struct: while let (_, inner) = try field() { try skip(inner, depth: depth + 1) }
    case .list, .set:
      let inner = try reader.byte()
      let count = try reader.big(Int32.self)
      guard count >= 0, Int(count) <= reader.remaining else { throw reader.failure(.truncated) }
      guard count > 0 else { return }
      guard let inner = ThriftType(rawValue: inner) else { throw reader.failure(.tag) }
      for _ in 0..<count { try skip(inner, depth: depth + 1) }
    case .map:
      let (key, value) = (try reader.byte(), try reader.byte())
      let count = try reader.big(Int32.self)
      guard count >= 0, Int(count) <= reader.remaining else { throw reader.failure(.truncated) }
      guard count > 0 else { return }
      guard let key = ThriftType(rawValue: key), let value = ThriftType(rawValue: value) else {
        throw reader.failure(.tag)
      }
      for _ in 0..<count {
        try skip(key, depth: depth + 1)
        try skip(value, depth: depth + 1)
      }
    }
  }
}
