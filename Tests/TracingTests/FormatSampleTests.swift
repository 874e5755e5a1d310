import Bytes
import Foundation
import TestSupport
import Testing

@testable import Tracing

/// The samples of `formats/`: what the codecs write of some spans, what they read of that, and what they refuse.
/// `KATA_RECORD=1` writes the samples and fails.
@Suite struct FormatSampleTests {
  static let folder = Repository.url("formats")

  private func golden(_ path: String, _ bytes: [UInt8]) throws {
    let file = Self.folder.appending(path: path)
    if ProcessInfo.processInfo.environment["KATA_RECORD"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file)
      Issue.record("\(path) was recorded")
    } else {
      #expect(try [UInt8](Data(contentsOf: file)) == bytes, "\(path)")
    }
  }

  // MARK: The spans

  private static func attribute(_ key: String, _ value: PlainSpan.Value) -> PlainSpan.Attribute {
    PlainSpan.Attribute(key: Array(key.utf8), value: value)
  }

  private static func text(_ text: String) -> PlainSpan.Value { .string(Array(text.utf8)) }

  /// One with everything, one with nothing, and one as an agent sends it.
  static let spans: [PlainSpan] = {
    var full = PlainSpan(
      traceID: TraceID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10),
      spanID: SpanID(0x1112_1314_1516_1718),
      parentID: SpanID(0x2122_2324_2526_2728), flags: 0x301, kind: .server,
      name: Array("create_container".utf8),
      start: 1_772_755_200_123_456_789, end: 1_772_755_200_223_457_788, status: .error,
      message: Array("no such \"image\"".utf8))
    full.state = [PlainSpan.State(key: Array("kata".utf8), value: Array("1".utf8))]
    full.attributes = [
      attribute("text", text("é\n\u{1f600}")), attribute("bool", .bool(true)), attribute("int", .int(-42)),
      attribute("large", .int(9_007_199_254_740_993)), attribute("double", .number(0.1)),
      attribute("nan", .number(.nan)), attribute("bytes", .bytes([0, 1, 0xfe, 0xff])),
      attribute("empty", .empty),
      attribute("list", .array([.int(1), .int(2)])),
      attribute("mixed", .array([.int(1), text("b"), .bool(false)])),
      attribute("map", .map([attribute("a", .int(1)), attribute("b", .array([.number(0.5)]))])),
    ]
    full.droppedAttributes = 3
    full.droppedEvents = 2
    full.droppedLinks = 1
    full.events = [
      PlainSpan.Event(
        name: Array("pulled".utf8), time: 1_772_755_200_150_000_001,
        attributes: [attribute("layers", .int(5))],
        dropped: 1)
    ]
    full.links = [
      PlainSpan.Link(
        traceID: TraceID(high: 7, low: 8), spanID: SpanID(9), flags: 0x301, isRemote: true,
        state: [PlainSpan.State(key: Array("v".utf8), value: Array("x".utf8))],
        attributes: [attribute("why", text("retry"))], dropped: 4)
    ]
    full.resource = PlainSpan.Common(
      attributes: [
        attribute("service.name", text("kata-agent")), attribute("kata.sandbox.id", text("3f2a9c51d0e8")),
      ], dropped: 5, schema: Array("https://opentelemetry.io/schemas/1.44.0".utf8))
    full.scope = PlainSpan.Common(
      name: Array("kata-agent".utf8), version: Array("3.29".utf8),
      attributes: [attribute("rpc", .bool(true))],
      dropped: 6, schema: Array("https://opentelemetry.io/schemas/1.43.0".utf8))
    let least = PlainSpan(traceID: TraceID(0xabc), spanID: SpanID(0xdef))
    var agent = full.asAgent(throughJSON: false)
    agent.spanID = SpanID(0x3132_3334_3536_3738)
    agent.parentID = full.spanID
    agent.name = Array("wait_process".utf8)
    return [full, least, agent]
  }()

  // MARK: Written

  @Test func otlpIsWrittenAndReadAsTheSamplesSay() throws {
    var lines = ByteWriter()
    var request = ByteWriter()
    for span in Self.spans {
      OTLPJSON.encode(span.span, to: &lines)
      lines.put(0x0a)
      var one = ByteWriter()
      OTLPProtobuf.encode(span.span, to: &one)
      request.put(OTLPProtobuf.resourceSpansTag)
      request.varint(UInt64(one.count))
      request.put(one.bytes)
    }
    try golden("otlp/valid/spans.jsonl", lines.array)
    try golden("otlp/valid/request.pb", request.array)
    let expected = Self.spans.map(\.asOTLP)
    #expect(try read("otlp/valid/request.pb", Self.protobuf) == expected)
    let found = try lines.array.split(separator: 0x0a).flatMap { try Self.json(Array($0)) }
    #expect(found == expected)
  }

  @Test func jaegerIsWrittenAndReadAsTheSamplesSay() throws {
    var document = ByteWriter()
    document.put("{\"data\":[\n")
    for (index, span) in Self.spans.enumerated() {
      let span = span.span
      if index > 0 { document.put(",\n") }
      document.put("{\"traceID\":\"")
      document.put(hex: span.traceID)
      document.put("\",\"spans\":[\n")
      JaegerJSON.encode(span, to: &document)
      document.put("\n],\"processes\":{\n\"p1\":")
      JaegerJSON.encodeProcess(of: span, defaultService: "kata", to: &document)
      document.put("\n},\"warnings\":null}")
    }
    document.put("\n],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}\n")
    try golden("jaeger-json/sample.json", document.array)
    let batch = Array(Self.spans.prefix(2))
    try golden("jaeger-thrift/valid/batch.thrift", ThriftBatch.encode(batch, as: .binary))
    try golden("jaeger-thrift/valid/emit-batch.compact", ThriftBatch.encode(batch, as: .compact))
    var expected = batch.map(\.asThrift)
    expected[1].resource = expected[0].resource
    #expect(try read("jaeger-thrift/valid/batch.thrift", Self.thrift) == expected)
  }

  @Test func theAgentsFramesAreWrittenAsTheSamplesSay() throws {
    for (name, encoding) in [("bincode", AgentFrame.Encoding.bincode), ("json", .json)] {
      var frames = ByteWriter()
      AgentFrame.append(Self.spans[2].span, as: encoding, to: &frames)
      try golden("agent-frames/valid/\(name).frames", frames.array)
    }
  }

  private func read(_ path: String, _ decode: ([UInt8]) throws -> [PlainSpan]) throws -> [PlainSpan] {
    try decode([UInt8](Data(contentsOf: Self.folder.appending(path: path))))
  }

  // MARK: Refused

  /// Makes each invalid sample of valid ones.
  private static let invalid: [(path: String, bytes: [UInt8])] = {
    let bincode = RoundTripTests.Format.bincode.encode(spans[2].span)
    let json = String(decoding: RoundTripTests.Format.agentJSON.encode(spans[2].span), as: UTF8.self)
    let line = String(decoding: RoundTripTests.Format.json.encode(spans[0].span), as: UTF8.self)
    var protobuf = ByteWriter()
    OTLPProtobuf.encode(spans[0].span, to: &protobuf)
    let request = [0x0a, UInt8(protobuf.count & 0x7f) | 0x80, UInt8(protobuf.count >> 7)] + protobuf.array
    let batch = ThriftBatch.encode([spans[0]], as: .binary)
    func changed(_ bytes: [UInt8], _ place: Int, _ value: UInt8) -> [UInt8] {
      var bytes = bytes
      bytes[place] = value
      return bytes
    }
    func replaced(_ text: String, _ old: String, _ new: String) -> [UInt8] {
      Array(text.replacing(old, with: new).utf8)
    }
    func frame(_ payload: [UInt8]) -> [UInt8] {
      var out = ByteWriter()
      out.big(UInt64(payload.count))
      out.put(payload)
      return out.array
    }
    return [
      ("agent-frames/invalid/cut.frame", frame(Array(bincode.dropLast()))),
      ("agent-frames/invalid/trailing.frame", frame(bincode + [0])),
      ("agent-frames/invalid/bool-of-2.frame", frame(changed(bincode, 25, 2))),
      (
        "agent-frames/invalid/zero-trace-id.frame",
        frame([UInt8](repeating: 0, count: 16) + bincode.dropFirst(16))
      ),
      ("agent-frames/invalid/many-states.frame", frame(changed(bincode, 29, 0xff))),
      ("agent-frames/invalid/not-utf8.frame", frame(changed(bincode, 35, 0xff))),
      ("agent-frames/invalid/missing-member.frame", frame(replaced(json, ",\"status_code\":\"Error\"", ""))),
      ("agent-frames/invalid/unknown-kind.frame", frame(replaced(json, "\"Server\"", "\"Servant\""))),
      ("agent-frames/invalid/half-surrogate.frame", frame(replaced(json, "wait_process", "\\ud800"))),
      ("agent-frames/invalid/float-beyond.frame", frame(replaced(json, "{\"F64\":0.1}", "{\"F64\":1e999}"))),
      ("otlp/invalid/short-trace-id.json", replaced(line, "\"traceId\":\"0102", "\"traceId\":\"01")),
      ("otlp/invalid/no-span-id.json", replaced(line, "\"spanId\":\"1112131415161718\",", "")),
      (
        "otlp/invalid/deep.json",
        replaced(
          line, "{\"boolValue\":true}",
          String(repeating: "{\"arrayValue\":{\"values\":[", count: 10) + String(repeating: "]}}", count: 10))
      ),
      ("otlp/invalid/cut.json", Array(line.utf8.dropLast())),
      ("otlp/invalid/cut.pb", request.dropLast()),
      ("otlp/invalid/bad-wire-type.pb", [0x0f]),
      ("jaeger-thrift/invalid/cut.thrift", batch.dropLast()),
      ("jaeger-thrift/invalid/unknown-type.thrift", changed(batch, 0, 0x11)),
      ("jaeger-thrift/invalid/no-process.thrift", [0]),
    ]
  }()

  @Test(arguments: invalid.map(\.path)) func invalidSamplesAreRefused(_ path: String) throws {
    if let made = Self.invalid.first(where: { $0.path == path }) { try golden(path, Array(made.bytes)) }
    let bytes = try [UInt8](Data(contentsOf: Self.folder.appending(path: path)))
    try golden("\(path).message", Array((message(path, bytes) + "\n").utf8))
  }

  /// All samples that are there are in the table.
  @Test(arguments: ["agent-frames", "otlp", "jaeger-thrift"]) func noSampleIsForgotten(_ format: String)
    throws
  {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Self.folder.appending(path: "\(format)/invalid").path)
    let names = files.filter { !$0.hasSuffix(".message") }.map { "\(format)/invalid/\($0)" }
    #expect(Set(names) == Set(Self.invalid.map(\.path).filter { $0.hasPrefix("\(format)/") }))
    #expect(files.count == 2 * names.count)
  }

  private func message(_ path: String, _ bytes: [UInt8]) -> String {
    do {
      switch (path as NSString).pathExtension {
      case "frame":
        var span = Span()
        _ = try bytes.dropFirst(8).withUnsafeBytes { try AgentFrame.decode($0, into: &span) }
      case "json": _ = try Self.json(bytes)
      case "pb": _ = try Self.protobuf(bytes)
      default: _ = try Self.thrift(bytes)
      }
    } catch {
      return (error as? CodecError).map { "\($0.reason.rawValue), at byte \($0.offset)" } ?? "\(error)"
    }
    return "nothing is wrong"
  }

  private static func json(_ bytes: [UInt8]) throws -> [PlainSpan] {
    try decode(bytes) { try OTLPJSON.decodeRequest($0, refused: $1, $2) }
  }
  private static func protobuf(_ bytes: [UInt8]) throws -> [PlainSpan] {
    try decode(bytes) { try OTLPProtobuf.decodeRequest($0, refused: $1, $2) }
  }
  private static func thrift(_ bytes: [UInt8]) throws -> [PlainSpan] {
    try decode(bytes) { try JaegerThrift.decodeBatch($0, refused: $1, $2) }
  }

  /// Throws also what is wrong with a single span.
  private static func decode(
    _ bytes: [UInt8],
    _ run: (UnsafeRawBufferPointer, (CodecError) -> Void, (inout Span) -> Void) throws -> Void
  ) throws -> [PlainSpan] {
    var spans: [PlainSpan] = []
    var problem: CodecError?
    try bytes.withUnsafeBytes { try run($0, { problem = $0 }, { spans.append(PlainSpan($0)) }) }
    if let problem { throw problem }
    return spans
  }
}
