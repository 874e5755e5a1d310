import Bytes
import Encodings

/// Writes `SpanData` as serde_json writes it, byte for byte.
struct AgentJSONEncoder {
  let span: Span
  let text: UnsafeRawBufferPointer

  func encode(_ out: inout ByteWriter) {
    out.put("{\"span_context\":")
    let state = span.agent.hasTraceState || !span.traceState.isEmpty ? span.traceState : nil
    context(span.traceID, span.spanID, span.flags, span.agent.isRemote, state, &out)
    out.put(",\"parent_span_id\":")
    out.put(decimal: span.parentID.value)
    out.put(",\"span_kind\":\"")
    out.put(AgentKind.kinds[AgentKind.index(of: span.kind)].name)
    out.put("\",\"name\":")
    out.put(json: text[span.name])
    out.put(",\"start_time\":")
    time(span.start, &out)
    out.put(",\"end_time\":")
    time(span.end, &out)
    ownAttributes(&out)
    events(&out)
    links(&out)
    out.put(",\"status_code\":\"")
    out.put(span.status == .unset ? "Unset" : span.status == .ok ? "Ok" : "Error")
    out.put("\",\"status_message\":")
    out.put(json: text[span.statusMessage])
    if span.agent.hasResource {
      out.put(",\"resource\":{\"attrs\":")
      map(span.attributes[clamping: span.resource.attributes], &out)
      out.put("}}")
    } else {
      out.put(",\"resource\":null}")
    }
  }

  private func context(
    _ traceID: TraceID, _ spanID: SpanID, _ flags: UInt32, _ isRemote: Bool, _ state: Span.List?,
    _ out: inout ByteWriter
  ) {
    out.put("{\"trace_id\":")
    out.put(decimal: traceID.value)
    out.put(",\"span_id\":")
    out.put(decimal: spanID.value)
    out.put(",\"trace_flags\":")
    out.put(decimal: UInt64(flags & 0xff))
    out.put(",\"is_remote\":")
    ValueText.put(isRemote, to: &out)
    guard let state else { return out.put(",\"trace_state\":null}") }
    out.put(",\"trace_state\":")
    commaSeparated(span.states[clamping: state], 0x5b, 0x5d, &out) { entry, out in
      out.put(0x5b)
      out.put(json: text[entry.key])
      out.put(0x2c)
      out.put(json: text[entry.value])
      out.put(0x5d)
    }
    out.put(0x7d)
  }

  private func ownAttributes(_ out: inout ByteWriter) {
    let own = Array(span.attributes[clamping: span.own])
    let order =
      span.agent.mapOrder.count == own.count ? span.agent.mapOrder.map { Int($0) } : Array(own.indices)
    out.put(",\"attributes\":{\"map\":")
    map(order.compactMap { own.indices.contains($0) ? own[$0] : nil }[...], &out)
    out.put(",\"evict_list\":")
    commaSeparated(own.reversed(), 0x5b, 0x5d, &out) { attribute, out in out.put(json: text[attribute.key]) }
    end(span.agent.attributeLimit, span.droppedAttributes, &out)
  }

  private func events(_ out: inout ByteWriter) {
    out.put(",\"events\":{\"queue\":")
    if span.agent.hasEvents || !span.events.isEmpty {
      commaSeparated(span.events, 0x5b, 0x5d, &out) { event, out in
        out.put("{\"name\":")
        out.put(json: text[event.name])
        out.put(",\"timestamp\":")
        time(event.time, &out)
        list(event.attributes, event.dropped, &out)
      }
    } else {
      out.put("null")
    }
    end(span.agent.eventLimit, span.droppedEvents, &out)
  }

  private func links(_ out: inout ByteWriter) {
    out.put(",\"links\":{\"queue\":")
    if span.agent.hasLinks || !span.links.isEmpty {
      commaSeparated(span.links, 0x5b, 0x5d, &out) { link, out in
        out.put("{\"span_context\":")
        let state = link.hasState || !link.traceState.isEmpty ? link.traceState : nil
        context(link.traceID, link.spanID, link.flags, link.isRemote, state, &out)
        list(link.attributes, link.dropped, &out)
      }
    } else {
      out.put("null")
    }
    end(span.agent.linkLimit, span.droppedLinks, &out)
  }

  private func end(_ limit: UInt32, _ dropped: UInt32, _ out: inout ByteWriter) {
    out.put(",\"max_len\":")
    out.put(decimal: UInt64(limit))
    out.put(",\"dropped_count\":")
    out.put(decimal: UInt64(dropped))
    out.put(0x7d)
  }

  private func map(_ attributes: ArraySlice<Span.Attribute>, _ out: inout ByteWriter) {
    commaSeparated(attributes, 0x7b, 0x7d, &out) { attribute, out in
      out.put(json: text[attribute.key])
      out.put(0x3a)
      value(attribute.value, &out)
    }
  }

  private func list(_ list: Span.List, _ dropped: UInt32, _ out: inout ByteWriter) {
    out.put(",\"attributes\":")
    commaSeparated(span.attributes[clamping: list], 0x5b, 0x5d, &out) { attribute, out in
      out.put("{\"key\":")
      out.put(json: text[attribute.key])
      out.put(",\"value\":")
      value(attribute.value, &out)
      out.put(0x7d)
    }
    out.put(",\"dropped_attributes_count\":")
    out.put(decimal: UInt64(dropped))
    out.put(0x7d)
  }

  private func commaSeparated<T: Collection>(
    _ items: T, _ open: UInt8, _ close: UInt8, _ out: inout ByteWriter,
    _ put: (T.Element, inout ByteWriter) -> Void
  ) {
    out.put(open)
    out.put(list: items, put)
    out.put(close)
  }

  private func value(_ value: Span.Value, _ out: inout ByteWriter) {
    switch value {
    case .bool(let value):
      out.put("{\"Bool\":")
      ValueText.put(value, to: &out)
    case .int(let value):
      out.put("{\"I64\":")
      out.put(decimal: value)
    case .double(let value):
      out.put("{\"F64\":")
      double(value, &out)
    case .string(let piece):
      out.put("{\"String\":")
      out.put(json: text[piece])
    case .array(let list, let type) where type != .mixed:
      let names: [StaticString] = ["Bool", "I64", "F64", "String"]
      out.put("{\"Array\":{\"")
      out.put(names[Int(type.rawValue)])
      out.put("\":")
      commaSeparated(span.elements[clamping: list], 0x5b, 0x5d, &out) { element, out in
        if case .double(let value) = element {
          double(value, &out)
        } else {
          ValueText.put(element, of: span, text, to: &out)
        }
      }
      out.put(0x7d)
    default:
      let plain = ValueText.plain(value, of: span, text)
      out.put("{\"String\":")
      out.put(json: plain.bytes)
    }
    out.put(0x7d)
  }

  private func double(_ value: Double, _ out: inout ByteWriter) {
    if value.isFinite { out.put(json: value) } else { out.put("null") }
  }

  private func time(_ value: UInt64, _ out: inout ByteWriter) {
    out.put("{\"secs_since_epoch\":")
    out.put(decimal: value / 1_000_000_000)
    out.put(",\"nanos_since_epoch\":")
    out.put(decimal: value % 1_000_000_000)
    out.put(0x7d)
  }
}
