import Bytes
import Testing

@testable import Tracing

/// The table of `formats/jaeger-json`, row by row.
@Suite struct JaegerJSONTests {
  private func attribute(_ key: String, _ value: PlainSpan.Value) -> PlainSpan.Attribute {
    PlainSpan.Attribute(key: Array(key.utf8), value: value)
  }

  private func json(_ span: PlainSpan) -> String {
    var out = ByteWriter()
    JaegerJSON.encode(span.span, to: &out)
    return out.string
  }

  private func process(_ attributes: [PlainSpan.Attribute]) -> String {
    var span = PlainSpan()
    span.resource.attributes = attributes
    var out = ByteWriter()
    JaegerJSON.encodeProcess(of: span.span, defaultService: "kata", to: &out)
    return out.string
  }

  static let values: [(PlainSpan.Value, String)] = [
    (.string(Array("a\"b\n".utf8)), #""string","value":"a\"b\n""#),
    (.bool(false), #""bool","value":false"#),
    (.int(-5), #""int64","value":-5"#),
    (.int(9_007_199_254_740_991), #""int64","value":9007199254740991"#),
    (.int(9_007_199_254_740_992), #""int64","value":"9007199254740992""#),
    (.int(-9_007_199_254_740_991), #""int64","value":-9007199254740991"#),
    (.int(-9_007_199_254_740_992), #""int64","value":"-9007199254740992""#),
    (.int(.min), #""int64","value":"-9223372036854775808""#),
    (.number(1.5), #""float64","value":1.5"#),
    (.number(2), #""float64","value":2.0"#),
    (.number(.nan), #""string","value":"NaN""#),
    (.number(-.infinity), #""string","value":"-Infinity""#),
    (.bytes([0, 255, 1]), #""binary","value":"AP8B""#),
    (.bytes([1]), #""binary","value":"AQ==""#),
    (.empty, #""string","value":"""#),
    (.array([.int(1), .string(Array("b".utf8)), .number(.nan)]), #""string","value":"[1,\"b\",\"NaN\"]""#),
    (.array([]), #""string","value":"[]""#),
    (.map([PlainSpan.Attribute(key: [0x6b], value: .bytes([1]))]), #""string","value":"{\"k\":\"AQ==\"}""#),
  ]

  @Test(arguments: values) func valuesBecomeTags(_ value: PlainSpan.Value, _ tag: String) {
    let text = json(PlainSpan(attributes: [attribute("k", value)]))
    #expect(text.contains("\"tags\":[{\"key\":\"k\",\"type\":\(tag)}]"), "\(text)")
  }

  static let fields: [(PlainSpan, String)] = [
    (PlainSpan(kind: .unspecified), ""),
    (PlainSpan(kind: .internal), #"{"key":"span.kind","type":"string","value":"internal"}"#),
    (PlainSpan(kind: .server), #"{"key":"span.kind","type":"string","value":"server"}"#),
    (PlainSpan(kind: .client), #"{"key":"span.kind","type":"string","value":"client"}"#),
    (PlainSpan(kind: .producer), #"{"key":"span.kind","type":"string","value":"producer"}"#),
    (PlainSpan(kind: .consumer), #"{"key":"span.kind","type":"string","value":"consumer"}"#),
    (PlainSpan(status: .ok), #"{"key":"otel.status_code","type":"string","value":"OK"}"#),
    (
      PlainSpan(status: .error, message: Array("why".utf8)),
      #"{"key":"otel.status_code","type":"string","value":"ERROR"},{"key":"error","type":"bool","value":true},"#
        + #"{"key":"otel.status_description","type":"string","value":"why"}"#
    ),
    (
      PlainSpan(scope: PlainSpan.Common(name: Array("s".utf8), version: Array("1".utf8))),
      #"{"key":"otel.scope.name","type":"string","value":"s"},{"key":"otel.scope.version","type":"string","value":"1"}"#
    ),
    (
      PlainSpan(state: [
        PlainSpan.State(key: [0x61], value: [0x31]), PlainSpan.State(key: [0x62], value: [0x32]),
      ]),
      #"{"key":"w3c.tracestate","type":"string","value":"a=1,b=2"}"#
    ),
    (
      PlainSpan(droppedAttributes: 1, droppedEvents: 2, droppedLinks: .max),
      #"{"key":"otel.dropped_attributes_count","type":"int64","value":1},"#
        + #"{"key":"otel.dropped_events_count","type":"int64","value":2},"#
        + #"{"key":"otel.dropped_links_count","type":"int64","value":4294967295}"#
    ),
  ]

  @Test(arguments: fields) func fieldsBecomeTags(_ span: PlainSpan, _ tags: String) {
    #expect(json(span).contains("\"tags\":[\(tags)],"), "\(json(span))")
  }

  @Test func parentsAndLinksBecomeReferences() {
    var span = PlainSpan(parentID: SpanID(0xab))
    span.links = [PlainSpan.Link(traceID: TraceID(high: 1, low: 2), spanID: SpanID(3))]
    #expect(
      json(span).contains(
        #""references":[{"refType":"CHILD_OF","traceID":"00000000000000000000000000000001","spanID":"00000000000000ab"},"#
          + #"{"refType":"FOLLOWS_FROM","traceID":"00000000000000010000000000000002","spanID":"0000000000000003"}]"#
      ))
    span.parentID = SpanID(0)
    span.links = []
    #expect(json(span).contains("\"references\":[]"))
  }

  @Test func eventsBecomeLogs() {
    var span = PlainSpan()
    span.events = [
      PlainSpan.Event(name: Array("e".utf8), time: 1999, attributes: [attribute("a", .int(1))], dropped: 3),
      PlainSpan.Event(name: [], time: 0, attributes: [], dropped: 0),
    ]
    #expect(
      json(span).contains(
        #""logs":[{"timestamp":1,"fields":[{"key":"event","type":"string","value":"e"},"#
          + #"{"key":"a","type":"int64","value":1},"#
          + #"{"key":"otel.dropped_attributes_count","type":"int64","value":3}]},{"timestamp":0,"fields":[]}]"#
      ))
  }

  static let times: [(UInt64, UInt64, String)] = [
    (1_772_755_200_123_456_789, 1_772_755_200_123_457_788, #""startTime":1772755200123456,"duration":0"#),
    (1000, 2000, #""startTime":1,"duration":1"#),
    (2000, 1000, #""startTime":2,"duration":0"#),
    (0, .max, #""startTime":0,"duration":18446744073709551"#),
  ]

  @Test(arguments: times) func timesAreMicroseconds(_ start: UInt64, _ end: UInt64, _ text: String) {
    #expect(json(PlainSpan(start: start, end: end)).contains(text))
  }

  static let processes: [([(String, PlainSpan.Value)], String)] = [
    ([], #"{"serviceName":"kata","tags":[]}"#),
    ([("service.name", .string(Array("s".utf8)))], #"{"serviceName":"s","tags":[]}"#),
    ([("service.name", .string([]))], #"{"serviceName":"kata","tags":[]}"#),
    (
      [("service.name", .int(1)), ("a", .bool(true))],
      #"{"serviceName":"kata","tags":[{"key":"service.name","type":"int64","value":1},{"key":"a","type":"bool","value":true}]}"#
    ),
  ]

  @Test(arguments: processes)
  func resourcesBecomeProcesses(_ attributes: [(String, PlainSpan.Value)], _ text: String) {
    #expect(process(attributes.map { attribute($0.0, $0.1) }) == text)
  }

  @Test func idsAreWholeAndFlagsAreThoseOfW3C() {
    let span = PlainSpan(traceID: TraceID(0xabc), spanID: SpanID(0xdef), flags: 0x301)
    #expect(
      json(span).hasPrefix(
        #"{"traceID":"00000000000000000000000000000abc","spanID":"0000000000000def","flags":1,"operationName":"""#
      ))
    #expect(json(span).hasSuffix(#""processID":"p1","warnings":null}"#))
  }
}
