@testable import Tracing

/// What is left of a span in formats that carry less, as `formats/` documents it.
extension PlainSpan {
  /// In the agent's frames.
  func asAgent(throughJSON: Bool) -> PlainSpan {
    var span = self
    span.flags &= 0xff
    if span.kind == .unspecified { span.kind = .internal }
    span.scope = Common()
    span.resource = Common(attributes: span.resource.attributes)
    span.changeValues { Self.asAgent($0, throughJSON) }
    for index in span.links.indices { span.links[index].flags &= 0xff }
    return span
  }

  private static func asAgent(_ value: Value, _ throughJSON: Bool) -> Value {
    switch value {
    case .array(let values) where isOfOneType(values):
      return .array(values.map { asAgent($0, throughJSON) })
    case .double(let bits):
      return throughJSON && !Double(bitPattern: bits).isFinite ? .number(.nan) : value
    case .empty, .bytes, .array, .map: return plainText(value)
    default: return value
    }
  }

  private static func isOfOneType(_ values: [Value]) -> Bool {
    let types = Set(
      values.map { value in
        switch value {
        case .bool: 0
        case .int: 1
        case .double: 2
        case .string: 3
        default: 4
        }
      })
    return types.count <= 1 && !types.contains(4)
  }

  /// In OTLP, which loses nothing: that a link's span is remote is said in its flags.
  var asOTLP: PlainSpan {
    var span = self
    for index in span.links.indices where span.links[index].isRemote { span.links[index].flags |= 0x300 }
    return span
  }

  /// In Jaeger's Thrift, there and back.
  var asThrift: PlainSpan {
    var span = self
    span.flags &= 0xff
    span.start = start / 1000 * 1000
    span.end = span.start + (end > start ? (end - start) / 1000 * 1000 : 0)
    span.changeValues {
      if case .array = $0 { return Self.plainText($0) }
      if case .map = $0 { return Self.plainText($0) }
      return $0 == .empty ? .string([]) : $0
    }
    for index in span.events.indices { span.events[index].time = span.events[index].time / 1000 * 1000 }
    span.links = links.map { Link(traceID: $0.traceID, spanID: $0.spanID) }
    span.scope = Common(name: scope.name, version: scope.version)
    span.resource = Common(attributes: Self.process(span.resource.attributes))
    return span
  }

  /// The service comes first; of several the first one.
  static func process(_ attributes: [Attribute]) -> [Attribute] {
    let key = Array("service.name".utf8)
    var service: Text?
    var rest: [Attribute] = []
    for attribute in attributes {
      if attribute.key == key, case .string(let name) = attribute.value {
        if !name.isEmpty { service = service ?? name }
      } else {
        rest.append(attribute)
      }
    }
    return [Attribute(key: key, value: .string(service ?? Array("unknown".utf8)))] + rest
  }

  private static func plainText(_ value: Value) -> Value {
    var plain = PlainSpan()
    plain.attributes = [Attribute(key: [], value: value)]
    let span = plain.span
    let text = span.text.withUnsafeBytes {
      ValueText.plain(span.attributes[Int(span.own.first)].value, of: span, $0).array
    }
    return .string(text)
  }

  private mutating func changeValues(_ change: (Value) -> Value) {
    func changed(_ attributes: [Attribute]) -> [Attribute] {
      attributes.map { Attribute(key: $0.key, value: change($0.value)) }
    }
    attributes = changed(attributes)
    resource.attributes = changed(resource.attributes)
    for index in events.indices { events[index].attributes = changed(events[index].attributes) }
    for index in links.indices { links[index].attributes = changed(links[index].attributes) }
  }
}
