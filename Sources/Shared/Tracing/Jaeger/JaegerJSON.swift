import Bytes
import Encodings

/// Spans as Jaeger's JSON, the form of its query API and of the UI's upload. See `formats/jaeger-json`.
package enum JaegerJSON {
  /// Appends one span. Its process is named by `processID`.
  ///
  /// `warnings` are shown beside it in the UI.
  package static func encode(
    _ span: borrowing Span, processID: StaticString = "p1", processNumber: Int? = nil,
    warnings: [String] = [],
    to out: inout ByteWriter
  ) {
    span.text.withUnsafeBytes { text in
      let encoder = JaegerJSONEncoder(text: text)
      encoder.span(span, &out)
      out.put(",\"processID\":\"")
      if let processNumber {
        out.put(0x70)
        out.put(decimal: UInt64(processNumber))
      } else {
        out.put(processID)
      }
      out.put(0x22)
      if warnings.isEmpty {
        out.put(",\"warnings\":null}")
      } else {
        out.put(",\"warnings\":[")
        out.put(list: warnings) { warning, out in out.put(json: warning) }
        out.put("]}")
      }
    }
  }

  /// Appends the process of a span: `{"serviceName":…,"tags":[…]}`.
  package static func encodeProcess(
    of span: borrowing Span, defaultService: String, to out: inout ByteWriter
  ) {
    span.text.withUnsafeBytes { JaegerJSONEncoder(text: $0).process(span, defaultService, &out) }
  }
}

private struct JaegerJSONEncoder {
  let text: UnsafeRawBufferPointer

  func span(_ span: borrowing Span, _ out: inout ByteWriter) {
    out.put("{\"traceID\":\"")
    out.put(hex: span.traceID)
    out.put("\",\"spanID\":\"")
    out.put(hex: span.spanID.value)
    out.put("\",\"flags\":")
    out.put(decimal: UInt64(span.flags & 0xff))
    out.put(",\"operationName\":")
    out.put(json: text[span.name])
    references(span, &out)
    out.put(",\"startTime\":")
    out.put(decimal: span.start / 1000)
    out.put(",\"duration\":")
    out.put(decimal: span.duration / 1000)
    tags(span, &out)
    logs(span, &out)
  }

  private func references(_ span: borrowing Span, _ out: inout ByteWriter) {
    out.put(",\"references\":[")
    if !span.parentID.isZero { reference("CHILD_OF", span.traceID, span.parentID, &out) }
    for index in span.links.indices {
      if index > 0 || !span.parentID.isZero { out.put(0x2c) }
      reference("FOLLOWS_FROM", span.links[index].traceID, span.links[index].spanID, &out)
    }
    out.put(0x5d)
  }

  private func reference(_ type: StaticString, _ traceID: TraceID, _ spanID: SpanID, _ out: inout ByteWriter)
  {
    out.put("{\"refType\":\"")
    out.put(type)
    out.put("\",\"traceID\":\"")
    out.put(hex: traceID)
    out.put("\",\"spanID\":\"")
    out.put(hex: spanID.value)
    out.put("\"}")
  }

  private func tags(_ span: borrowing Span, _ out: inout ByteWriter) {
    out.put(",\"tags\":[")
    let start = out.count
    attributes(span.own, span, start, &out)
    JaegerTags.visit(span) { name, value in
      if out.count > start { out.put(0x2c) }
      switch value {
      case .text(let text): tag(name, text, &out)
      case .state(let list):
        out.put("{\"key\":\"w3c.tracestate\",\"type\":\"string\",\"value\":")
        var header = ByteWriter(capacity: 256)
        TraceStateText.put(span.states[clamping: list], text, to: &header)
        out.put(json: header.bytes)
        out.put(0x7d)
      case .piece(let piece): tag(name, piece, &out)
      case .number(let number):
        key(name, &out)
        out.put(",\"type\":\"int64\",\"value\":")
        out.put(decimal: UInt64(number))
        out.put(0x7d)
      case .flag:
        key(name, &out)
        out.put(",\"type\":\"bool\",\"value\":true}")
      }
    }
    out.put(0x5d)
  }

  private func logs(_ span: borrowing Span, _ out: inout ByteWriter) {
    out.put(",\"logs\":[")
    for index in span.events.indices {
      if index > 0 { out.put(0x2c) }
      let event = span.events[index]
      out.put("{\"timestamp\":")
      out.put(decimal: event.time / 1000)
      out.put(",\"fields\":[")
      let start = out.count
      if !event.name.isEmpty { tag("event", event.name, &out) }
      attributes(event.attributes, span, start, &out)
      if event.dropped > 0 {
        if out.count > start { out.put(0x2c) }
        key("otel.dropped_attributes_count", &out)
        out.put(",\"type\":\"int64\",\"value\":")
        out.put(decimal: UInt64(event.dropped))
        out.put(0x7d)
      }
      out.put("]}")
    }
    out.put(0x5d)
  }

  func process(_ span: borrowing Span, _ defaultService: String, _ out: inout ByteWriter) {
    out.put("{\"serviceName\":")
    if let service = JaegerTags.service(of: span) {
      out.put(json: text[service])
    } else {
      out.put(json: defaultService)
    }
    out.put(",\"tags\":[")
    let start = out.count
    for attribute in span.attributes[clamping: span.resource.attributes]
    where !JaegerTags.isServiceName(attribute, text) {
      if out.count > start { out.put(0x2c) }
      self.attribute(attribute, span, &out)
    }
    out.put("]}")
  }

  private func attributes(_ list: Span.List, _ span: borrowing Span, _ start: Int, _ out: inout ByteWriter) {
    for index in list.range where index < span.attributes.count {
      if out.count > start { out.put(0x2c) }
      attribute(span.attributes[index], span, &out)
    }
  }

  private func attribute(_ attribute: Span.Attribute, _ span: borrowing Span, _ out: inout ByteWriter) {
    out.put("{\"key\":")
    out.put(json: text[attribute.key])
    switch attribute.value {
    case .string(let piece):
      out.put(",\"type\":\"string\",\"value\":")
      out.put(json: text[piece])
    case .bool(let value):
      out.put(",\"type\":\"bool\",\"value\":")
      ValueText.put(value, to: &out)
    case .int(let value):
      out.put(",\"type\":\"int64\",\"value\":")
      // JavaScript's numbers are exact up to here.
      if value.magnitude < 1 << 53 {
        out.put(decimal: value)
      } else {
        out.put(0x22)
        out.put(decimal: value)
        out.put(0x22)
      }
    case .double(let value) where value.isFinite:
      out.put(",\"type\":\"float64\",\"value\":")
      out.put(json: value)
    case .double(let value):
      out.put(",\"type\":\"string\",\"value\":")
      ValueText.put(value, to: &out)
    case .bytes(let piece):
      out.put(",\"type\":\"binary\",\"value\":\"")
      Base64.put(text[piece], to: &out)
      out.put(0x22)
    case .empty, .array, .map:
      out.put(",\"type\":\"string\",\"value\":")
      let plain = ValueText.plain(attribute.value, of: span, text)
      out.put(json: plain.bytes)
    }
    out.put(0x7d)
  }

  private func key(_ name: StaticString, _ out: inout ByteWriter) {
    out.put("{\"key\":\"")
    out.put(name)
    out.put(0x22)
  }

  private func tag(_ name: StaticString, _ value: StaticString, _ out: inout ByteWriter) {
    key(name, &out)
    out.put(",\"type\":\"string\",\"value\":\"")
    out.put(value)
    out.put("\"}")
  }

  private func tag(_ name: StaticString, _ value: Span.Text, _ out: inout ByteWriter) {
    key(name, &out)
    out.put(",\"type\":\"string\",\"value\":")
    out.put(json: text[value])
    out.put(0x7d)
  }
}
