import Bytes

/// Writes one span with its resource and scope around it.
struct OTLPProtobufEncoder {
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
