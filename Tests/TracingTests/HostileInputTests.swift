import Bytes
import Glibc
import Testing

@testable import Tracing

/// What a sender could ask for beyond what it sends, one by one.
@Suite struct HostileInputTests {
  private func attribute(_ key: String, _ value: PlainSpan.Value) -> PlainSpan.Attribute {
    PlainSpan.Attribute(key: Array(key.utf8), value: value)
  }

  private func bincode(_ span: PlainSpan) -> [UInt8] { RoundTripTests.Format.bincode.encode(span.span) }

  private func reason(_ body: () throws -> Void) -> CodecError.Reason? {
    do { try body() } catch { return (error as? CodecError)?.reason }
    return nil
  }

  @Test(arguments: RoundTripTests.Format.allCases)
  func longListsAreRefused(_ format: RoundTripTests.Format) {
    var span = PlainSpan(attributes: [attribute("a", .array(Array(repeating: .bool(true), count: 65_535)))])
    #expect(reason { _ = try format.decode(format.encode(span.span)) } == nil)
    span.attributes = [attribute("a", .array(Array(repeating: .bool(true), count: 65_537)))]
    let bytes = format.encode(span.span)
    if format == .json {
      // The request's other spans are taken.
      var refused: [CodecError.Reason] = []
      #expect(throws: Never.self) {
        try bytes.withUnsafeBytes {
          try OTLPJSON.decodeRequest($0, refused: { refused.append($0.reason) }) { _ in }
        }
      }
      #expect(refused == [.limit])
    } else {
      #expect(reason { _ = try format.decode(bytes) } == .limit)
    }
  }

  /// Half of the request is its resource, and the other half spans of a few bytes: each would have the resource.
  /// Processor time of this thread, which a busy machine does not lengthen.
  private static var threadSeconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec
  }

  @Test func aLargeResourceForManySpansIsRefused() {
    var span = PlainSpan()
    span.resource.attributes = [attribute("a", .string(Array(repeating: 0x61, count: 1 << 20)))]
    let spans = Array(repeating: span, count: 1000)
    let batch = ThriftBatch.encode(spans, as: .binary)
    var taken = 0
    let refusal = reason {
      try batch.withUnsafeBytes { try JaegerThrift.decodeBatch($0, refused: { _ in }) { _ in taken += 1 } }
    }
    #expect(refusal == .limit)
    #expect(taken == 127)
    var limits = SpanLimits()
    limits.requestBytes = 2 << 30
    taken = 0
    #expect(throws: Never.self) {
      try batch.withUnsafeBytes {
        try JaegerThrift.decodeBatch($0, limits: limits, refused: { _ in }) { _ in taken += 1 }
      }
    }
    #expect(taken == 1000)
  }

  /// A resource is read once, not for each span: reading it for each of 2^16 spans would take minutes of processor time.
  @Test func aResourceOfUnknownMembersIsReadOnce() throws {
    let start = Self.threadSeconds
    defer { #expect(Self.threadSeconds - start < 30) }
    var protobuf = ByteWriter()
    var resource = ByteWriter()
    for _ in 0..<1 << 17 { resource.put([0x78, 1]) }
    protobuf.put(0x0a)
    protobuf.varint(UInt64(resource.count))
    protobuf.put(resource.bytes)
    var scope = ByteWriter()
    for _ in 0..<1 << 16 { scope.put([0x12, 0]) }
    protobuf.put(0x12)
    protobuf.varint(UInt64(scope.count))
    protobuf.put(scope.bytes)
    var request = ByteWriter()
    request.put(0x0a)
    request.varint(UInt64(protobuf.count))
    request.put(protobuf.bytes)
    var refused = 0
    try OTLPProtobuf.decodeRequest(request.bytes, refused: { _ in refused += 1 }, { _ in })
    #expect(refused == 1 << 16)
    let members = String(repeating: "\"x\":1,", count: 1 << 17)
    let spans = String(repeating: "{},", count: 1 << 16)
    let json =
      "{\"resourceSpans\":[{\"resource\":{\(members)\"y\":1},\"scopeSpans\":[{\"spans\":[\(spans){}]}]}]}"
    refused = 0
    try Array(json.utf8).withUnsafeBytes {
      try OTLPJSON.decodeRequest($0, refused: { _ in refused += 1 }, { _ in })
    }
    #expect(refused == 1 << 16 + 1)
  }

  @Test func aBrokenResourceRefusesItsSpansOnly() throws {
    let json = """
      {"resourceSpans":[
        {"resource":{"attributes":7},"scopeSpans":[{"spans":[{"traceId":"\(String(repeating: "1", count: 32))","spanId":"1111111111111111"},{}]}]},
        {"scopeSpans":[{"spans":[{"traceId":"\(String(repeating: "2", count: 32))","spanId":"2222222222222222"}]}]}]}
      """
    var refused = 0
    var taken: [TraceID] = []
    try Array(json.utf8).withUnsafeBytes {
      try OTLPJSON.decodeRequest($0, refused: { _ in refused += 1 }) { taken.append($0.traceID) }
    }
    #expect(refused == 2)
    #expect(taken.map(\.description) == [String(repeating: "2", count: 32)])
  }

  @Test func timesBeyondAllClocksAreRefused() throws {
    var bytes = bincode(PlainSpan(name: Array("n".utf8), start: 0, end: .max))
    #expect(throws: Never.self) { try RoundTripTests.Format.bincode.decode(bytes) }
    // Seconds of the start, after context (27 bytes), parent, kind, and the name with its length.
    bytes.replaceSubrange(48..<56, with: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
    #expect(reason { _ = try RoundTripTests.Format.bincode.decode(bytes) } == .number)
  }

  @Test(arguments: [
    (#"{"I64":9223372036854775808}"#, CodecError.Reason.number), (#"{"I64":1.5}"#, .number),
    (#"{"F64":1e999}"#, .number), (#"{"F64":01}"#, .syntax), (#"{"F64":.5}"#, .syntax), (#"{"U64":1}"#, .tag),
    (#"{"String":"\ud800"}"#, .text), (#"{"String":"\x"}"#, .syntax), (#"{"Bool":1}"#, .syntax),
    (#"{"Array":{"I64":[1,]}}"#, .syntax), (#"{"Array":{"I64":["1"]}}"#, .syntax), ("{}", .syntax),
  ])
  func badValuesAreRefused(_ value: String, _ wanted: CodecError.Reason) throws {
    let good = String(
      decoding: RoundTripTests.Format.agentJSON.encode(
        PlainSpan(attributes: [attribute("a", .int(1))]).span), as: UTF8.self)
    #expect(reason { _ = try RoundTripTests.Format.agentJSON.decode(Array(good.utf8)) } == nil)
    let bad = good.replacing("{\"I64\":1}", with: value)
    #expect(bad != good)
    #expect(reason { _ = try RoundTripTests.Format.agentJSON.decode(Array(bad.utf8)) } == wanted)
  }

  @Test func aMemberTwiceIsRefused() {
    let good = String(decoding: RoundTripTests.Format.agentJSON.encode(PlainSpan().span), as: UTF8.self)
    let bad = good.replacing(
      "\"status_message\":\"\"", with: "\"status_message\":\"\",\"status_message\":\"\"")
    #expect(reason { _ = try RoundTripTests.Format.agentJSON.decode(Array(bad.utf8)) } == .syntax)
  }

  @Test(arguments: [
    ("{\"span_context\":{", AgentFrame.Encoding.json), (" {\n\"name\" : \"n\"", .json),
    ("{\"links\":{}", .json),
    ("{\"abc\":1", .bincode), ("{\"span_context\"", .bincode), ("{}", .bincode), ("", .bincode),
    ("{aaaaaaaa\":", .bincode), ("{\"spAn_context\":", .bincode), ("[\"span_context\":", .bincode),
  ])
  func theEncodingIsTold(_ payload: String, _ encoding: AgentFrame.Encoding) {
    #expect(Array(payload.utf8).withUnsafeBytes { AgentFrame.encoding(of: $0) } == encoding)
  }

  @Test func aResourcesAttributeIsSetInThePlaceOfAllOfItsKey() {
    var plain = PlainSpan()
    plain.resource.attributes = [
      attribute("kata.sandbox.id", .string(Array("forged".utf8))), attribute("other", .int(1)),
      attribute("kata.sandbox.id", .int(2)),
    ]
    var span = plain.span
    span.setResource("kata.sandbox.id", "true one")
    #expect(
      PlainSpan(span).resource.attributes == [
        attribute("other", .int(1)), attribute("kata.sandbox.id", .string(Array("true one".utf8))),
      ])
  }

  @Test func noControlReachesATerminal() {
    let controls = Array("\u{1b}[2J\u{9b}2J\u{7f}\u{202e}\u{2028}\u{2029}\u{fe0f}\u{e0041}\u{115f}é".utf8)
    var plain = PlainSpan(name: controls, status: .error, message: controls)
    plain.attributes = [
      attribute("a", .string(controls)), attribute("b", .array([.string(controls)])),
      attribute("c", .map([PlainSpan.Attribute(key: controls, value: .string(controls))])),
    ]
    plain.events = [PlainSpan.Event(name: controls, time: 0, attributes: plain.attributes, dropped: 0)]
    var out = ByteWriter()
    SpanText.put(plain.span, isColoured: false, to: &out)
    let scalars = out.string.unicodeScalars
    #expect(scalars.allSatisfy { $0 == "\n" || TerminalText.isShown($0) })
    #expect(
      out.string.contains(#"\u001b[2J\u009b2J\x7f\u202e\u2028\u2029\ufe0f\U000e0041\u115fé"#), "\(out.string)"
    )
  }

  @Test(arguments: ["", "+1", "-1", "0x1", " 1", "١", String(repeating: "1", count: 33)])
  func textsThatAreNotIDsAreRefused(_ text: String) { #expect(TraceID(hex: text) == nil) }

  @Test(arguments: [("1", "1"), ("ABCDEF0123456789abcdef", "abcdef0123456789abcdef")])
  func idsAreReadWithoutTheirZeros(_ text: String, _ digits: String) {
    #expect(
      TraceID(hex: text)?.description == String(repeating: "0", count: 32 - digits.count) + digits)
  }

  @Test(arguments: [
    ("a=1,b=2", "a=1,b=2"), ("a=1,,b=2,", "a=1,b=2"), (",", ""), ("a", "a="), ("a=b=c", "a=b=c"),
    ("a=1, b=2", "a=1, b=2"),
  ])
  func traceStatesAreKept(_ text: String, _ wanted: String) throws {
    var span = Span()
    let list = try span.keepTraceState(span.intern(text), SpanLimits())
    var out = ByteWriter()
    span.text.withUnsafeBytes { TraceStateText.put(span.states[clamping: list], $0, to: &out) }
    #expect(out.string == wanted)
  }

  @Test func aTraceStateOverTheLimitIsRefused() throws {
    var span = Span()
    let piece = span.intern(String(repeating: "a=1,", count: 1025))
    #expect(reason { _ = try span.keepTraceState(piece, SpanLimits()) } == .limit)
  }
}
