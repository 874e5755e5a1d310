import Bytes
import Encodings

/// Writes one span with its resource and scope around it.
struct OTLPJSONEncoder {
  let span: Span
  let text: UnsafeRawBufferPointer

  func resourceSpans(_ out: inout ByteWriter) {
    head(&out)
    spanObject(&out)
    tail(&out)
  }

  /// What comes before the span.
  func head(_ out: inout ByteWriter) {
    out.put("{\"resource\":{\"attributes\":")
    attributes(span.resource.attributes, &out)
    number(",\"droppedAttributesCount\":", span.resource.dropped, &out)
    out.put("},\"scopeSpans\":[{\"scope\":{")
    scope(&out)
    out.put("},\"spans\":[")
  }

  /// What follows the span.
  func tail(_ out: inout ByteWriter) {
    out.put(0x5d)
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

  func spanObject(_ out: inout ByteWriter) {
    out.put(0x7b)
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
    out.put("}}")
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
    out.put(list: items, put)
    out.put(0x5d)
  }

  private func attributes(_ list: Span.List, _ out: inout ByteWriter, depth: Int = 0) {
    out.put(0x5b)
    out.put(list: span.attributes[clamping: depth < 32 ? list : .none]) { attribute, out in
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
      out.put(list: span.elements[clamping: depth < 32 ? list : .none]) { element, out in
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
