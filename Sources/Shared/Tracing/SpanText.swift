import Bytes

/// A span as a few lines for people: a head line, then its attributes, events and links, indented.
///
/// No character that a terminal would obey or hide is written: texts are quoted as JSON, and what JSON leaves unescaped
/// is escaped by the rule of ``TerminalText``.
package enum SpanText {
  package static func put(_ span: Span, isColoured: Bool, to out: inout ByteWriter) {
    span.text.withUnsafeBytes { text in
      let writer = SpanTextWriter(span: span, text: text, isColoured: isColoured)
      writer.put(&out)
    }
  }
}

private struct SpanTextWriter {
  let span: Span
  let text: UnsafeRawBufferPointer
  let isColoured: Bool

  func put(_ out: inout ByteWriter) {
    time(span.start, &out)
    out.put("  ")
    colour("1", &out) { out in plain(text[span.name], &out) }
    out.put("  ")
    duration(span.duration, &out)
    if let kind = span.kind.word {
      out.put("  ")
      out.put(string: kind)
    }
    if span.status == .error {
      out.put("  ")
      colour("31", &out) { $0.put("ERROR") }
    }
    if span.status == .ok { out.put("  ok") }
    if !span.statusMessage.isEmpty {
      out.put(0x20)
      quoted(text[span.statusMessage], &out)
    }
    out.put("\n    trace ")
    out.put(hex: span.traceID)
    out.put("  span ")
    out.put(hex: span.spanID.value)
    if !span.parentID.isZero {
      out.put("  parent ")
      out.put(hex: span.parentID.value)
    }
    out.put(0x0a)
    attributes("resource", span.resource.attributes, &out)
    if !span.scope.name.isEmpty {
      out.put("    scope    ")
      plain(text[span.scope.name], &out)
      out.put(0x20)
      plain(text[span.scope.version], &out)
      out.put(0x0a)
    }
    attributes("tags    ", span.own, &out)
    for event in span.events {
      out.put("    event    ")
      time(event.time, &out)
      out.put("  ")
      plain(text[event.name], &out)
      pairs(event.attributes, &out)
      out.put(0x0a)
    }
    for link in span.links {
      out.put("    link     ")
      out.put(hex: link.traceID)
      out.put(0x20)
      out.put(hex: link.spanID.value)
      pairs(link.attributes, &out)
      out.put(0x0a)
    }
    dropped(&out)
  }

  private func dropped(_ out: inout ByteWriter) {
    guard span.droppedAttributes > 0 || span.droppedEvents > 0 || span.droppedLinks > 0 else { return }
    out.put("    dropped  ")
    out.put(
      string:
        "\(span.droppedAttributes) attributes, \(span.droppedEvents) events, \(span.droppedLinks) links\n")
  }

  private func attributes(_ title: StaticString, _ list: Span.List, _ out: inout ByteWriter) {
    guard !list.isEmpty else { return }
    out.put("    ")
    out.put(title)
    pairs(list, &out)
    out.put(0x0a)
  }

  private func pairs(_ list: Span.List, _ out: inout ByteWriter) {
    for attribute in span.attributes[clamping: list] {
      out.put(0x20)
      plain(text[attribute.key], &out)
      out.put(0x3d)
      if case .string(let piece) = attribute.value {
        plain(text[piece], &out)
      } else {
        var json = ByteWriter(capacity: 64)
        ValueText.put(attribute.value, of: span, text, to: &json)
        visible(json.bytes, &out)
      }
    }
  }

  /// As it is when it is one printable ASCII word, quoted otherwise.
  private func plain(_ bytes: UnsafeRawBufferPointer, _ out: inout ByteWriter) {
    if !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }) {
      return out.put(bytes)
    }
    quoted(bytes, &out)
  }

  private func quoted(_ bytes: UnsafeRawBufferPointer, _ out: inout ByteWriter) {
    var json = ByteWriter(capacity: 64)
    json.put(json: bytes)
    visible(json.bytes, &out)
  }

  private func visible(_ json: UnsafeRawBufferPointer, _ out: inout ByteWriter) {
    guard json.contains(where: { $0 >= 0x7f }) else { return out.put(json) }
    out.put(string: TerminalText.line(String(decoding: json, as: UTF8.self)))
  }

  private func colour(_ code: StaticString, _ out: inout ByteWriter, _ body: (inout ByteWriter) -> Void) {
    guard isColoured else { return body(&out) }
    out.put("\u{1b}[")
    out.put(code)
    out.put(0x6d)
    body(&out)
    out.put("\u{1b}[0m")
  }

  private func time(_ nanoseconds: UInt64, _ out: inout ByteWriter) {
    let second: UInt64 = 1_000_000_000
    out.put(
      rfc3339: Timestamp(
        seconds: Int64(nanoseconds / second), nanoseconds: UInt32(nanoseconds % second)))
  }

  private func duration(_ nanoseconds: UInt64, _ out: inout ByteWriter) {
    let (unit, name): (UInt64, StaticString) =
      nanoseconds >= 1_000_000_000
      ? (1_000_000_000, "s")
      : nanoseconds >= 1_000_000 ? (1_000_000, "ms") : nanoseconds >= 1000 ? (1000, "µs") : (1, "ns")
    out.put(decimal: nanoseconds / unit)
    if unit > 1 {
      let fraction = nanoseconds % unit * 1000 / unit
      let digits = String(fraction)
      out.put(0x2e)
      for _ in 0..<(3 - digits.utf8.count) { out.put(0x30) }
      out.put(string: digits)
    }
    out.put(name)
  }
}
