import Bytes

/// The tags for parts of a span that Jaeger's model has no field for. Source: OpenTelemetry's "Jaeger transformation".
enum JaegerTags {
  enum Value {
    case text(StaticString)
    case piece(Span.Text)
    case state(Span.List)
    case number(UInt32)
    /// True.
    case flag
  }

  /// Calls `body` with each of them.
  @inline(__always)
  static func visit(_ span: borrowing Span, _ body: (StaticString, Value) -> Void) {
    switch span.kind {
    case .unspecified: break
    case .internal: body("span.kind", .text("internal"))
    case .server: body("span.kind", .text("server"))
    case .client: body("span.kind", .text("client"))
    case .producer: body("span.kind", .text("producer"))
    case .consumer: body("span.kind", .text("consumer"))
    }
    if span.status == .ok { body("otel.status_code", .text("OK")) }
    if span.status == .error {
      body("otel.status_code", .text("ERROR"))
      body("error", .flag)
    }
    if !span.statusMessage.isEmpty { body("otel.status_description", .piece(span.statusMessage)) }
    if !span.scope.name.isEmpty { body("otel.scope.name", .piece(span.scope.name)) }
    if !span.scope.version.isEmpty { body("otel.scope.version", .piece(span.scope.version)) }
    if !span.traceState.isEmpty { body("w3c.tracestate", .state(span.traceState)) }
    if span.droppedAttributes > 0 { body("otel.dropped_attributes_count", .number(span.droppedAttributes)) }
    if span.droppedEvents > 0 { body("otel.dropped_events_count", .number(span.droppedEvents)) }
    if span.droppedLinks > 0 { body("otel.dropped_links_count", .number(span.droppedLinks)) }
  }

  static func isServiceName(_ attribute: Span.Attribute, _ text: UnsafeRawBufferPointer) -> Bool {
    if case .string = attribute.value { return text[attribute.key] == "service.name" }
    return false
  }

  static func service(of span: borrowing Span) -> Span.Text? {
    span.text.withUnsafeBytes { text in
      for index in span.resource.attributes.range where index < span.attributes.count {
        let attribute = span.attributes[index]
        if case .string(let piece) = attribute.value, isServiceName(attribute, text), !piece.isEmpty {
          return piece
        }
      }
      return nil
    }
  }
}
