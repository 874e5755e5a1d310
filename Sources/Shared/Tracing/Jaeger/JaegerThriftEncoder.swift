import Bytes
import Encodings

/// Writes spans and processes as Jaeger's structures.
struct JaegerThriftEncoder {
  let text: UnsafeRawBufferPointer

  func span(_ span: borrowing Span, _ writer: inout ThriftWriter) {
    writer.beginStruct()
    writer.i64(1, Int64(bitPattern: span.traceID.low))
    writer.i64(2, Int64(bitPattern: span.traceID.high))
    writer.i64(3, Int64(bitPattern: span.spanID.value))
    writer.i64(4, Int64(bitPattern: span.parentID.value))
    writer.bytes(5, text[span.name])
    if !span.links.isEmpty {
      writer.list(6, count: span.links.count)
      for index in span.links.indices {
        let link = span.links[index]
        writer.beginStruct()
        writer.i32(1, 1)
        writer.i64(2, Int64(bitPattern: link.traceID.low))
        writer.i64(3, Int64(bitPattern: link.traceID.high))
        writer.i64(4, Int64(bitPattern: link.spanID.value))
        writer.endStruct()
      }
    }
    writer.i32(7, Int32(truncatingIfNeeded: span.flags & 0xff))
    writer.i64(8, Int64(clamping: span.start / 1000))
    writer.i64(9, Int64(clamping: span.duration / 1000))
    tags(span, &writer)
    logs(span, &writer)
    writer.endStruct()
  }

  private func tags(_ span: borrowing Span, _ writer: inout ThriftWriter) {
    var count = span.attributes[clamping: span.own].count
    JaegerTags.visit(span) { _, _ in count += 1 }
    guard count > 0 else { return }
    writer.list(10, count: count)
    for attribute in span.attributes[clamping: span.own] { tag(attribute, span, &writer) }
    JaegerTags.visit(span) { name, value in
      writer.beginStruct()
      writer.text(1, name)
      switch value {
      case .text(let text):
        writer.i32(2, 0)
        writer.text(3, text)
      case .piece(let piece):
        writer.i32(2, 0)
        writer.bytes(3, text[piece])
      case .state(let list):
        writer.i32(2, 0)
        var header = ByteWriter(capacity: 256)
        TraceStateText.put(span.states[clamping: list], text, to: &header)
        writer.bytes(3, header.bytes)
      case .number(let number):
        writer.i32(2, 3)
        writer.i64(6, Int64(number))
      case .flag:
        writer.i32(2, 2)
        writer.bool(5, true)
      }
      writer.endStruct()
    }
  }

  private func logs(_ span: borrowing Span, _ writer: inout ThriftWriter) {
    guard !span.events.isEmpty else { return }
    writer.list(11, count: span.events.count)
    for index in span.events.indices {
      let event = span.events[index]
      writer.beginStruct()
      writer.i64(1, Int64(clamping: event.time / 1000))
      let attributes = span.attributes[clamping: event.attributes]
      writer.list(2, count: attributes.count + (event.name.isEmpty ? 0 : 1) + (event.dropped > 0 ? 1 : 0))
      if !event.name.isEmpty {
        writer.beginStruct()
        writer.text(1, "event")
        writer.i32(2, 0)
        writer.bytes(3, text[event.name])
        writer.endStruct()
      }
      for attribute in attributes { tag(attribute, span, &writer) }
      if event.dropped > 0 {
        writer.beginStruct()
        writer.text(1, "otel.dropped_attributes_count")
        writer.i32(2, 3)
        writer.i64(6, Int64(event.dropped))
        writer.endStruct()
      }
      writer.endStruct()
    }
  }

  func process(_ span: borrowing Span, _ defaultService: String, _ writer: inout ThriftWriter) {
    writer.beginStruct()
    if let service = JaegerTags.service(of: span) {
      writer.bytes(1, text[service])
    } else {
      writer.text(1, defaultService)
    }
    let tags = span.attributes[clamping: span.resource.attributes].filter {
      !JaegerTags.isServiceName($0, text)
    }
    if !tags.isEmpty {
      writer.list(2, count: tags.count)
      for attribute in tags { tag(attribute, span, &writer) }
    }
    writer.endStruct()
  }

  private func tag(_ attribute: Span.Attribute, _ span: borrowing Span, _ writer: inout ThriftWriter) {
    writer.beginStruct()
    writer.bytes(1, text[attribute.key])
    switch attribute.value {
    case .string(let piece):
      writer.i32(2, 0)
      writer.bytes(3, text[piece])
    case .double(let value):
      writer.i32(2, 1)
      writer.double(4, value)
    case .bool(let value):
      writer.i32(2, 2)
      writer.bool(5, value)
    case .int(let value):
      writer.i32(2, 3)
      writer.i64(6, value)
    case .bytes(let piece):
      writer.i32(2, 4)
      writer.bytes(7, text[piece])
    case .empty, .array, .map:
      writer.i32(2, 0)
      let plain = ValueText.plain(attribute.value, of: span, text)
      writer.bytes(3, plain.bytes)
    }
    writer.endStruct()
  }
}
