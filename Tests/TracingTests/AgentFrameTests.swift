import Bytes
import Foundation
import TestSupport
import Testing

@testable import Tracing

/// The frames that the real crates made, and the same spans as serde wrote them as JSON.
enum AgentSamples {
  static let folder = Repository.url("formats/agent-frames")

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
}
