import Bytes
import Encodings
import TestSupport
import Testing

@testable import Tracing

/// Mutated messages of every format that strangers send: decoding ends, gives a span or a reason, takes no more memory
/// than a few times the message, and a span that was decoded is one that every format can be written and read with.
@Suite(.ownThreads) struct CodecFuzzTests {
  private static let payloads = AgentFrameTests.names.flatMap { (try? AgentSamples.payloads($0)) ?? [] }
  private static let spans =
    (RoundTripTests.samples.enumerated().filter { $0.offset % 8 == 0 }.map(\.element)
    + RoundTripTests.random(60, seed: 3)).map(\.span)

  private static let numbers: [[UInt8]] = [
    [0], [0xff], [0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0, 0, 0, 0],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0, 0, 0, 0x80], [0, 4, 0, 0, 0, 0, 0, 0],
    [1, 0, 0, 0, 0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], [0xed, 0xa0, 0x80],
  ]
  private static let jsonTokens: [[UInt8]] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "null",
    "true", "1e999",
    "-0", "0.1", "18446744073709551615", "18446744073709551616", "340282366920938463463374607431768211456",
    "\"name\":", "\"events\":", "\"attributes\":", "\"map\":", "{\"I64\":", "{\"Array\":{\"Bool\":[",
    "\"spans\":[{",
    "\"scopeSpans\":", "\"resource\":", "\"kvlistValue\":{\"values\":[", "\"arrayValue\":{\"values\":[",
    "\"NaN\"",
    "\"bytesValue\":\"AA==\"", "\"intValue\":", "\"traceState\":\",,=\"", " ", "\u{ffff}",
  ].map { Array($0.utf8) }

  // MARK: Frames

  @Test func agentPayloadsFuzz() throws {
    let mutator = Mutator(seeds: Self.payloads, tokens: Self.numbers + Self.jsonTokens)
    var span = Span()
    var decoded = 0
    Fuzzing.run("agent payloads") { generator in
      let bytes = mutator.next(&generator)
      guard
        let encoding = bytes.withUnsafeBytes({ try? AgentFrame.decode($0, into: &span) })
      else { return }
      decoded += 1
      #expect(span.memorySize <= 32 * bytes.count + 1024)
      check(span, bytes)
      var again = ByteWriter()
      var back = Span()
      switch encoding {
      case .bincode:
        AgentBincode.encode(span, to: &again)
        #expect(throws: Never.self) { try AgentBincode.decode(again.bytes, limits: .none, into: &back) }
      case .json:
        AgentJSON.encode(span, to: &again)
        #expect(throws: Never.self) { try AgentJSON.decode(again.bytes, limits: .none, into: &back) }
      }
      // Of two attributes of one key, which no map of the agent's has, nothing says which was set first.
      let keys = PlainSpan(span).attributes.map(\.key)
      if Set(keys).count == keys.count { expectSame(PlainSpan(back), PlainSpan(span), bytes) }
    }
    #expect(decoded > 0)
  }

  // MARK: Requests

  private static func requests(_ encode: ([Span], inout ByteWriter) -> Void) -> [[UInt8]] {
    stride(from: 0, to: spans.count, by: 3).map { start in
      var out = ByteWriter()
      encode(Array(spans[start..<min(spans.count, start + 1 + start % 3)]), &out)
      return out.array
    }
  }

  @Test func protobufRequestsFuzz() throws {
    let seeds = Self.requests { spans, out in
      for span in spans {
        var one = ByteWriter()
        OTLPProtobuf.encode(span, to: &one)
        out.put(OTLPProtobuf.resourceSpansTag)
        out.varint(UInt64(one.count))
        out.put(one.bytes)
      }
    }
    let tokens =
      Self.numbers + [[0x0a, 0], [0x12, 0], [0x1a, 2, 8, 1], [0x2a, 4, 0x0a, 2, 0x2a, 0], [0x4a, 0]]
    try run("OTLP protobuf", Mutator(seeds: seeds, tokens: tokens)) {
      bytes, refused, body throws(CodecError) in
      try OTLPProtobuf.decodeRequest(bytes, refused: refused, body)
    }
  }

  @Test func jsonRequestsFuzz() throws {
    let seeds = Self.requests { spans, out in
      out.put("{\"resourceSpans\":[")
      for (index, span) in spans.enumerated() {
        if index > 0 { out.put(0x2c) }
        OTLPJSON.encodeResourceSpans(span, to: &out)
      }
      out.put("]}")
    }
    try run("OTLP JSON", Mutator(seeds: seeds, tokens: Self.jsonTokens)) {
      bytes, refused, body throws(CodecError) in
      try OTLPJSON.decodeRequest(bytes, refused: refused, body)
    }
  }

  @Test func thriftBatchesFuzz() throws {
    let plain = Self.spans.map { PlainSpan($0) }
    let seeds = stride(from: 0, to: plain.count, by: 2).map {
      ThriftBatch.encode(Array(plain[$0..<min(plain.count, $0 + 1 + $0 % 3)]), as: .binary)
    }
    let types: [[UInt8]] = (0...16).map { [$0, 0, 1] }
    try run("Thrift", Mutator(seeds: seeds, tokens: Self.numbers + types + [Array("error".utf8)])) {
      bytes, refused, body throws(CodecError) in
      try JaegerThrift.decodeBatch(bytes, refused: refused, body)
    } same: { span, bytes in
      var found: [PlainSpan] = []
      try ThriftBatch.encode([span], as: .binary).withUnsafeBytes {
        try JaegerThrift.decodeBatch($0, limits: .none, refused: { Issue.record("\($0)") }) {
          found.append(PlainSpan($0))
        }
      }
      #expect(found.count == 1)
      if let first = found.first { expectSame(first, span.asThrift, bytes) }
    }
  }

  private func run(
    _ name: String, _ mutator: Mutator,
    _ decode: (UnsafeRawBufferPointer, (CodecError) -> Void, (inout Span) -> Void) throws(CodecError) ->
      Void,
    same: (PlainSpan, [UInt8]) throws -> Void = { _, _ in }
  ) throws {
    var decoded = 0
    try Fuzzing.run(name) { generator in
      let bytes = mutator.next(&generator)
      var spans: [Span] = []
      var refused = 0
      bytes.withUnsafeBytes { try? decode($0, { _ in refused += 1 }, { spans.append($0) }) }
      decoded += spans.count
      // The least that a span takes is a byte, and a resource is in memory once for each.
      #expect(spans.count + refused <= bytes.count)
      #expect(spans.reduce(0) { $0 + $1.memorySize } <= 32 * bytes.count * (spans.count + 1))
      for span in spans {
        check(span, bytes)
        try same(PlainSpan(span), bytes)
      }
    }
    #expect(decoded > 0)
  }

  // MARK: What holds for every span

  /// Writes the span in every format, and reads back those that carry all of it.
  private func check(_ span: Span, _ bytes: [UInt8]) {
    let plain = PlainSpan(span)
    var back = Span()
    var out = ByteWriter()
    OTLPProtobuf.encode(span, to: &out)
    #expect(throws: Never.self) { try OTLPProtobuf.decode(out.bytes, limits: .none, into: &back) }
    expectSame(PlainSpan(back), plain.throughTraceState, bytes)
    out.removeAll()
    OTLPJSON.encode(span, to: &out)
    var found: [Span] = []
    #expect(throws: Never.self) {
      try OTLPJSON.decodeRequest(
        out.bytes, limits: .none, refused: { Issue.record("\($0) of \(bytes)") }, { found.append($0) })
    }
    if let first = found.first { expectSame(PlainSpan(first), plain.throughTraceState, bytes) }
    out.removeAll()
    JaegerJSON.encode(span, to: &out)
    JaegerJSON.encodeProcess(of: span, defaultService: "unknown", to: &out)
    JaegerThrift.encode(span, as: .compact, to: &out)
    // A control takes six bytes in JSON and seven when that is the text of a list; what is around a value takes some more.
    #expect(out.count <= 64 * span.memorySize + 4096)
    out.removeAll()
    SpanText.put(span, isColoured: false, to: &out)
    #expect(!out.string.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" })
  }

  private func expectSame(_ got: PlainSpan, _ wanted: PlainSpan, _ bytes: [UInt8]) {
    guard got != wanted else { return }
    for (mine, theirs) in zip(Mirror(reflecting: got).children, Mirror(reflecting: wanted).children)
    where "\(mine.value)" != "\(theirs.value)" {
      Issue.record("\(mine.label ?? ""): \(theirs.value) became \(mine.value), from \(bytes)")
    }
  }

  // MARK: Small ones

  @Test func answersFuzz() {
    let seeds: [[UInt8]] = [
      [0x0a, 0x07, 0x08, 0x05, 0x12, 0x03, 0x62, 0x61, 0x64],
      Array(#"{"partialSuccess":{"rejectedSpans":"5","errorMessage":"bad"}}"#.utf8),
      Array(#"{"partialSuccess":{"rejectedSpans":7}}"#.utf8),
    ]
    let mutator = Mutator(seeds: seeds, tokens: Self.numbers + Self.jsonTokens)
    var found = 0
    Fuzzing.run("collectors' answers") { generator in
      let bytes = mutator.next(&generator)
      for isJSON in [false, true] {
        if let answer = OTLPResponse.partialSuccess(bytes, isJSON: isJSON) {
          found += 1
          #expect(answer.message.utf8.count <= 3 * bytes.count)
        }
      }
    }
    #expect(found > 0)
  }

  @Test func tagsOfQueriesFuzz() {
    let seeds: [[UInt8]] = [
      Array(#"{"http.status_code":"200","error":true,"n":1.5e3,"z":null}"#.utf8), Array("{}".utf8),
      Array(#"{"a\"\u00e9":"\ud83d\ude00"}"#.utf8),
    ]
    let mutator = Mutator(seeds: seeds, tokens: Self.jsonTokens)
    var found = 0
    Fuzzing.run("tags of queries") { generator in
      let text = String(decoding: mutator.next(&generator), as: UTF8.self)
      if let pairs = JSONPairs.parse(text) {
        found += 1
        #expect(pairs.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count } <= text.utf8.count)
      }
    }
    #expect(found > 0)
  }
}

extension PlainSpan {
  /// A guest can put a comma or an equals sign into a tracestate's key or value, which W3C forbids: its text is what counts.
  fileprivate var throughTraceState: PlainSpan {
    var span = asOTLP
    span.state = Self.parsed(state)
    for index in links.indices { span.links[index].state = Self.parsed(links[index].state) }
    return span
  }

  private static func parsed(_ states: [State]) -> [State] {
    let text = states.map { $0.key + [0x3d] + $0.value }.joined(separator: [0x2c])
    return text.split(separator: 0x2c).map { member in
      let equals = member.firstIndex(of: 0x3d) ?? member.endIndex
      return State(key: Array(member[..<equals]), value: Array(member[equals...].dropFirst()))
    }
  }
}
