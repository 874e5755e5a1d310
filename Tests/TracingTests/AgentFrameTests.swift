import Foundation
import Testing

@testable import Tracing

/// The frames that the real crates made, and the same spans as serde wrote them as JSON.
enum AgentSamples {
  static let folder = URL(filePath: #filePath).appending(path: "../../../formats/agent-frames").standardized

  static func payloads(_ name: String) throws -> [[UInt8]] {
    let bytes = [UInt8](try Data(contentsOf: folder.appending(path: "\(name).frames")))
    var result: [[UInt8]] = []
    var index = 0
    while index < bytes.count {
      let length = bytes[index..<index + 8].reduce(0) { $0 << 8 | Int($1) }
      result.append(Array(bytes[index + 8..<index + 8 + length]))
      index += 8 + length
    }
    return result
  }

  static func truth(_ name: String) throws -> [String] {
    try String(contentsOf: folder.appending(path: "\(name).truth.ndjson"), encoding: .utf8)
      .split(separator: "\n").map(String.init)
  }
}

@Suite struct AgentFrameTests {
  static let names = ["agent-otel0.14-bincode", "agent-otel0.17-json"]

  private func decode(_ payload: [UInt8]) throws -> (Span, AgentFrame.Encoding) {
    var span = Span()
    let encoding = try payload.withUnsafeBytes { try AgentFrame.decode($0, into: &span) }
    return (span, encoding)
  }

  private func json(_ span: Span) -> String {
    var out = ByteWriter()
    var span = span
    span.agent.mapOrder = []
    AgentJSON.encode(span, to: &out)
    return out.string
  }

  @Test(arguments: names) func decodesEverySampleToItsTruth(_ name: String) throws {
    let payloads = try AgentSamples.payloads(name)
    let truth = try AgentSamples.truth(name)
    #expect(payloads.count == 200)
    for (payload, line) in zip(payloads, truth) {
      let (span, encoding) = try decode(payload)
      #expect(name.hasSuffix(encoding.rawValue))
      var expected = Span()
      try Array(line.utf8).withUnsafeBytes { try AgentJSON.decode($0, into: &expected) }
      #expect(json(span) == json(expected))
      // The truth's own text, but for the order of the map, is what a decoded span is written as.
      #expect(json(span).utf8.sorted() == line.utf8.sorted())
    }
  }

  @Test(arguments: names) func encodesEverySampleToItsBytes(_ name: String) throws {
    for payload in try AgentSamples.payloads(name) {
      let (span, encoding) = try decode(payload)
      var frame = ByteWriter()
      AgentFrame.append(span, as: encoding, to: &frame)
      #expect(Array(frame.array.dropFirst(8)) == payload)
      #expect(frame.array.prefix(8).reduce(0) { $0 << 8 | Int($1) } == payload.count)
    }
  }

  /// What one format can carry comes back from every other one.
  @Test(arguments: names) func survivesOTLPAndBack(_ name: String) throws {
    for payload in try AgentSamples.payloads(name) {
      var (span, _) = try decode(payload)
      // What OTLP has no place for.
      span.agent.isRemote = false
      span.agent.attributeLimit = 128
      span.agent.eventLimit = 128
      span.agent.linkLimit = 128
      for index in span.links.indices { span.links[index].hasState = !span.links[index].traceState.isEmpty }
      span.agent.hasTraceState = !span.traceState.isEmpty
      span.agent.hasEvents = !span.events.isEmpty
      span.agent.hasLinks = !span.links.isEmpty
      span.agent.hasResource = true
      for index in span.links.indices where span.links[index].isRemote { span.links[index].flags |= 0x300 }
      let wanted = withoutEmptyTypes(json(span))
      var protobuf = ByteWriter()
      OTLPProtobuf.encode(span, to: &protobuf)
      var back = Span()
      try OTLPProtobuf.decode(protobuf.bytes, into: &back)
      #expect(json(normal(back)) == wanted)
      var text = ByteWriter()
      OTLPJSON.encode(span, to: &text)
      var spans: [Span] = []
      try OTLPJSON.decodeRequest(text.bytes, refused: { Issue.record("\($0)") }, { spans.append($0) })
      #expect(spans.count == 1)
      if let first = spans.first { #expect(json(normal(first)) == wanted) }
    }
  }

  /// The agent's element type of an empty list is what OTLP cannot say.
  private func withoutEmptyTypes(_ text: String) -> String {
    ["Bool", "I64", "F64"].reduce(text) {
      $0.replacing("\"Array\":{\"\($1)\":[]}", with: "\"Array\":{\"String\":[]}")
    }
  }

  private func normal(_ span: Span) -> Span {
    var span = span
    span.agent.hasEvents = !span.events.isEmpty
    span.agent.hasLinks = !span.links.isEmpty
    return span
  }
}
