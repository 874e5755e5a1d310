import Bytes
import Encodings
import Foundation
import TestSupport
import Testing

@testable import Tracing

/// What one format can carry comes back from every other one that can carry it.
@Suite struct RoundTripTests {
  enum Format: CaseIterable {
    case bincode, agentJSON, protobuf, json

    var isAgent: Bool { self == .bincode || self == .agentJSON }

    func encode(_ span: Span) -> [UInt8] {
      var out = ByteWriter()
      switch self {
      case .bincode: AgentBincode.encode(span, to: &out)
      case .agentJSON: AgentJSON.encode(span, to: &out)
      case .protobuf: OTLPProtobuf.encode(span, to: &out)
      case .json: OTLPJSON.encode(span, to: &out)
      }
      return out.array
    }

    func decode(_ bytes: [UInt8]) throws -> Span {
      var span = Span()
      try bytes.withUnsafeBytes { bytes in
        switch self {
        case .bincode: try AgentBincode.decode(bytes, into: &span)
        case .agentJSON: try AgentJSON.decode(bytes, into: &span)
        case .protobuf: try OTLPProtobuf.decode(bytes, into: &span)
        case .json:
          var spans: [Span] = []
          try OTLPJSON.decodeRequest(bytes, refused: { Issue.record("\($0)") }) { spans.append($0) }
          span = try #require(spans.count == 1 ? spans.first : nil)
        }
      }
      return span
    }
  }

  static let pairs = Format.allCases.flatMap { first in Format.allCases.map { (first, $0) } }

  static let samples: [PlainSpan] =
    (try? AgentFrameTests.names.flatMap { name in
      try AgentSamples.payloads(name).map { payload in
        var span = Span()
        _ = try payload.withUnsafeBytes { try AgentFrame.decode($0, into: &span) }
        return PlainSpan(span)
      }
    }) ?? []

  static func random(_ count: Int, isFull: Bool = true, seed: UInt64 = 20_260_305) -> [PlainSpan] {
    var spans = RandomSpans(seed: seed)
    spans.isFull = isFull
    return (0..<count).map { _ in spans.next() }
  }

  @Test(arguments: pairs) func everyPairCarriesWhatBothCan(_ first: Format, _ second: Format) throws {
    #expect(Self.samples.count == 400)
    for span in Self.samples + Self.random(100) + Self.random(100, isFull: false) {
      let passed = try first.decode(first.encode(span.span))
      let back = PlainSpan(try second.decode(second.encode(passed)))
      let isAgent = first.isAgent || second.isAgent
      let throughJSON = first == .agentJSON || second == .agentJSON
      let expected = isAgent ? span.asAgent(throughJSON: throughJSON) : span
      let got = isAgent ? back.asAgent(throughJSON: throughJSON) : back
      #expect(got == (isAgent ? expected : expected.asOTLP))
    }
  }

  @Test func thriftCarriesWhatItsSpecificationSays() throws {
    let spans = Self.samples + Self.random(200)
    for span in spans {
      let back = try #require(try thrift([span]).first)
      #expect(back == span.asThrift)
    }
  }

  @Test func aBatchHasOneProcessAndAllItsSpans() throws {
    var spans = Self.random(40)
    for index in spans.indices { spans[index].resource = spans[0].resource }
    #expect(try thrift(spans) == spans.map(\.asThrift))
  }

  private func thrift(_ spans: [PlainSpan]) throws -> [PlainSpan] {
    let batch = ThriftBatch.encode(spans, as: .binary)
    var result: [PlainSpan] = []
    try batch.withUnsafeBytes {
      try JaegerThrift.decodeBatch($0, refused: { Issue.record("\($0)") }) { result.append(PlainSpan($0)) }
    }
    return result
  }

  /// A span that is decoded into memory which held others is the same as one in fresh memory.
  @Test(arguments: Format.allCases) func reusedMemoryHasNothingOfTheSpanBefore(_ format: Format) throws {
    var reused = Span()
    for span in Self.random(200) {
      let bytes = format.encode(span.span)
      switch format {
      case .bincode: try bytes.withUnsafeBytes { try AgentBincode.decode($0, into: &reused) }
      case .agentJSON: try bytes.withUnsafeBytes { try AgentJSON.decode($0, into: &reused) }
      case .protobuf: try bytes.withUnsafeBytes { try OTLPProtobuf.decode($0, into: &reused) }
      case .json: continue
      }
      #expect(PlainSpan(reused) == PlainSpan(try format.decode(bytes)))
    }
  }
}

enum ThriftBatch {
  /// Spans of one process as the exporters put them together.
  static func encode(_ spans: [PlainSpan], as format: ThriftProtocol) -> [UInt8] {
    var process = ByteWriter()
    var bodies = ByteWriter()
    for (index, span) in spans.enumerated() {
      if index == 0 {
        JaegerThrift.encodeProcess(of: span.span, defaultService: "unknown", as: format, to: &process)
      }
      JaegerThrift.encode(span.span, as: format, to: &bodies)
    }
    var batch = ByteWriter()
    JaegerThrift.batch(
      process: process.bytes, spans: bodies.bytes, count: spans.count, as: format, to: &batch)
    return batch.array
  }
}
