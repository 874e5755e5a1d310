import Foundation

@testable import Tracing

/// The same as JSON, in a form of this test's own, for the scripts in `Tests/Validators`: numbers of 64 bits as texts, a
/// double as the 16 digits of its bits, bytes in base64, a value as a pair of its type and itself.
extension PlainSpan {
  var truth: Data {
    get throws { try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]) }
  }

  /// All of them, one a line.
  static func truth(_ spans: [PlainSpan]) throws -> Data {
    try spans.reduce(into: Data()) { $0 += try $1.truth + [0x0a] }
  }

  private var object: [String: Any] {
    [
      "traceId": traceID.description, "spanId": spanID.description, "parentId": parentID.description,
      "flags": Int(flags), "kind": "\(kind)", "name": Self.text(name), "start": String(start),
      "end": String(end), "status": "\(status)", "message": Self.text(message), "state": Self.states(state),
      "attributes": Self.attributes(attributes),
      "dropped": [Int(droppedAttributes), Int(droppedEvents), Int(droppedLinks)],
      "events": events.map {
        [
          "name": Self.text($0.name), "time": String($0.time), "dropped": Int($0.dropped),
          "attributes": Self.attributes($0.attributes),
        ]
      },
      "links": links.map {
        [
          "traceId": $0.traceID.description, "spanId": $0.spanID.description, "flags": Int($0.flags),
          "state": Self.states($0.state), "dropped": Int($0.dropped),
          "attributes": Self.attributes($0.attributes),
        ]
      },
      "resource": Self.common(resource), "scope": Self.common(scope),
    ]
  }

  private static func text(_ text: Text) -> String { String(decoding: text, as: UTF8.self) }

  private static func states(_ states: [State]) -> [[String]] {
    states.map { [text($0.key), text($0.value)] }
  }

  private static func attributes(_ attributes: [Attribute]) -> [[Any]] {
    attributes.map { [text($0.key), value($0.value)] }
  }

  private static func common(_ common: Common) -> [String: Any] {
    [
      "name": text(common.name), "version": text(common.version), "attributes": attributes(common.attributes),
      "dropped": Int(common.dropped), "schema": text(common.schema),
    ]
  }

  private static func value(_ value: Value) -> [Any] {
    switch value {
    case .empty: ["empty", ""]
    case .bool(let value): ["bool", value]
    case .int(let value): ["int", String(value)]
    case .double(let bits): ["double", SpanID(bits).description]
    case .string(let string): ["string", text(string)]
    case .bytes(let bytes): ["bytes", Data(bytes).base64EncodedString()]
    case .array(let values): ["array", values.map { self.value($0) }]
    case .map(let members): ["map", attributes(members)]
    }
  }
}
