import Bytes
import Encodings
import Testing
import Tracing

@testable import TraceForwarder

/// The endpoints' answers, in their shape and within their limits.
struct QueryAPITests {
  private static let everything =
    "query.startTimeMin=2020-01-01T00:00:00Z&query.startTimeMax=2030-01-01T00:00:00Z"

  @Test func namesWithSlashesAndOfAnyScriptAreFound() throws {
    let fixture = try QueryFixture()
    let names = ["a/b", "服务", "x y", "operations", "100%"]
    for (number, name) in names.enumerated() {
      try fixture.add([.sample(UInt128(number + 1), service: name, name: "op of \(name)")])
    }
    #expect(Set(try fixture.get("/api/services")["data"].texts) == Set(names))
    for (name, escaped) in zip(names, ["a%2Fb", "%E6%9C%8D%E5%8A%A1", "x%20y", "operations", "100%25"]) {
      #expect(try fixture.get("/api/services/\(escaped)/operations")["data"].texts == ["op of \(name)"])
      #expect(
        try fixture.get("/api/operations?service=\(escaped)")["data"][0]["name"].text == "op of \(name)")
      #expect(
        try fixture.get("/api/v3/operations?service=\(escaped)")["operations"][0]["spanKind"].text
          == "internal")
    }
    #expect(try fixture.get("/api/services/a/b/operations")["data"].texts == ["op of a/b"])
  }

  @Test func operationsHaveTheirKinds() throws {
    let fixture = try QueryFixture()
    try fixture.add([
      .sample(1, 1, name: "op", kind: .server), .sample(1, 2, name: "op", kind: .unspecified),
      .sample(1, 3, name: "op", kind: .internal),
    ])
    let first = try fixture.get("/api/operations?service=svc")
    #expect(first["data"].list.map { $0["spanKind"].text } == ["", "internal", "server"])
    #expect(first["total"].number == 3)
    #expect(try fixture.get("/api/operations?service=svc&spanKind=server")["data"].list.count == 1)
    #expect(try fixture.get("/api/services/svc/operations")["data"].texts == ["op"])
    let third = try fixture.get("/api/v3/operations?service=svc")["operations"]
    #expect(third.list.map { $0["spanKind"].text } == ["internal", "server"])
    #expect(try fixture.get("/api/v3/operations?service=svc&span_kind=server")["operations"].list.count == 1)
    #expect(try fixture.answer("/api/operations").status == 400)
    #expect(try fixture.answer("/api/v3/operations").status == 400)
  }

  @Test(arguments: [
    "abc", "0abc", "0000000000000abc", "00000000000000000000000000000abc", "00000000000000000000000000000ABC",
  ])
  func shortIDsNeedNoZeros(_ id: String) throws {
    let fixture = try QueryFixture()
    try fixture.add([.sample(0xabc)])
    #expect(
      try fixture.get("/api/traces/\(id)")["data"][0]["traceID"].text == "00000000000000000000000000000abc")
    #expect(try fixture.get("/api/traces?traceID=\(id)")["data"].list.count == 1)
    #expect(try fixture.get("/api/v3/traces/\(id)")["result"]["resourceSpans"].list.count == 1)
  }

  @Test func unknownTracesAreNotFound() throws {
    let fixture = try QueryFixture()
    let answer = try fixture.answer("/api/traces/abc")
    #expect(answer.status == 404)
    let error = try JSON(answer.body)["errors"][0]
    #expect(error["code"].number == 404)
    #expect(error["msg"].text == "trace not found")
    #expect(error["traceID"].text == "abc")
    #expect(try fixture.answer("/api/traces/xyz").status == 400)
    for path in ["/api/v3/traces/abc", "/api/v3/traces?\(Self.everything)"] {
      let answer = try fixture.answer(path)
      #expect(answer.status == 404)
      #expect(try JSON(answer.body)["error"]["httpCode"].number == 404)
      #expect(try JSON(answer.body)["error"]["message"].text == "No traces found")
    }
    #expect(try fixture.answer("/api/v3/trace-summaries?\(Self.everything)").status == 200)
  }

  @Test func aListOfIDsTellsWhichAreMissing() throws {
    let fixture = try QueryFixture()
    try fixture.add([.sample(1), .sample(2)])
    let answer = try fixture.answer("/api/traces?traceID=1&traceID=2&traceID=2&traceID=3")
    #expect(answer.status == 200)
    let json = try JSON(answer.body)
    #expect(json["data"].list.count == 2)
    #expect(json["errors"].list.map { $0["msg"].text } == ["trace not found"])
    #expect(json["errors"][0]["traceID"].text == "00000000000000000000000000000003")
  }

  @Test(arguments: [
    ("/api", 404), ("/api/nothing", 404), ("/api/v3", 404), ("/api/v3/nothing", 404),
    ("/api/traces/1/2", 404),
    ("/api/services/x", 404), ("/nothing", 404), ("/trace/xyz", 404), ("/trace/abc", 302), ("/search", 302),
    ("/", 200),
    ("/page.js", 200), ("/page.css", 200), ("//api//services/", 200),
  ])
  func pathsAreKnownOrNot(_ path: String, _ status: Int) throws {
    let answer = try QueryFixture().answer(path)
    #expect(answer.status == status)
    if status == 404 {
      #expect(
        try JSON(answer.body).keys
          == (path.contains("v3") ? ["error"] : ["data", "errors", "limit", "offset", "total"]))
    }
  }

  @Test(arguments: [
    ("POST", "/api/services"), ("OPTIONS", "/api/traces"), ("DELETE", "/"), ("GET", "/api/transform"),
  ])
  func otherMethodsAreRefused(_ method: String, _ path: String) throws {
    let answer = try QueryFixture().answer(path, method: method)
    #expect(answer.status == 405)
    #expect(
      answer.headers.first { $0.name == "Allow" }?.value == (path == "/api/transform" ? "POST" : "GET, HEAD"))
    #expect(try JSON(answer.body)["errors"][0]["code"].number == 405)
  }

  @Test func callsBetweenServicesAreDependencies() throws {
    let fixture = try QueryFixture()
    for trace in 1...3 as ClosedRange<UInt128> {
      try fixture.add([
        .sample(trace, 1, service: "a"), .sample(trace, 2, parent: 1, service: "b"),
        .sample(trace, 3, parent: 1, service: "b"),
        .sample(trace, 4, parent: 3, service: "b"), .sample(trace, 5, parent: 4, service: "c"),
        .sample(trace, 6, parent: 99, service: "d"),
      ])
    }
    let window = "endTs=1700000001000&lookback=10000"
    func links(_ parameters: String) throws -> [String] {
      try fixture.get("/api/dependencies?\(parameters)")["data"].list.map {
        "\($0["parent"].text ?? "") \($0["child"].text ?? "") \($0["callCount"].number ?? 0)"
      }
    }
    #expect(try links(window) == ["a b 6", "b c 3"])
    #expect(try links(window + "&service=c") == ["b c 3"])
    #expect(try links("endTs=1600000000000") == [])
    #expect(try links("") == [])
    #expect(try links("endTs=18446744073709551615&lookback=18446744073709551615") == ["a b 6", "b c 3"])
    for bad in ["endTs=x", "lookback=1h"] {
      #expect(try fixture.answer("/api/dependencies?\(bad)").status == 400)
    }
  }

  @Test func summariesCountErrorsAndOrphans() throws {
    let fixture = try QueryFixture()
    try fixture.add([
      .sample(1, 1, service: "a", name: "root", duration: 1000),
      .sample(1, 2, parent: 1, service: "b", start: 100, duration: 2000, error: "x"),
      .sample(1, 3, parent: 77, service: "b", start: 1),
      .sample(2, 5, parent: 4, service: "b", start: 5_000_000),
    ])
    let summaries = try fixture.get("/api/v3/trace-summaries?\(Self.everything)")["summaries"]
    #expect(summaries[0]["rootOperationName"].text == "")
    #expect(summaries[0]["orphanSpanCount"].number == 1)
    let whole = summaries[1]
    #expect(
      whole.keys == [
        "errorSpanCount", "maxEndTimeUnixNano", "minStartTimeUnixNano", "orphanSpanCount",
        "rootOperationName",
        "rootServiceName", "services", "spanCount", "traceId",
      ])
    #expect(whole["rootServiceName"].text == "a")
    #expect(whole["rootOperationName"].text == "root")
    #expect(whole["minStartTimeUnixNano"].text == "1700000000000000000")
    #expect(whole["maxEndTimeUnixNano"].text == "1700000000002100000")
    #expect(whole["spanCount"].number == 3)
    #expect(whole["errorSpanCount"].number == 1)
    #expect(whole["orphanSpanCount"].number == 1)
    #expect(whole["services"].list.map { $0["name"].text } == ["a", "b"])
    #expect(whole["services"][1]["spanCount"].number == 2)
    #expect(whole["services"][1]["errorSpanCount"].number == 1)
  }

  @Test func spansOfOneResourceShareItInTheThirdGeneration() throws {
    let fixture = try QueryFixture()
    try fixture.add((1...10).map { .sample(1, $0, service: $0 % 2 == 0 ? "a" : "b", start: $0) })
    let groups = try fixture.get("/api/v3/traces/1")["result"]["resourceSpans"]
    #expect(groups.list.map { $0["scopeSpans"][0]["spans"].list.count } == [5, 5])
    var count = 0
    try fixture.answer("/api/v3/traces/1").body.withUnsafeBytes { bytes in
      // The answer's inner object is OTLP's TracesData.
      let inner = UnsafeRawBufferPointer(rebasing: bytes[10..<bytes.count - 1])
      try OTLPJSON.decodeRequest(inner, refused: { _ in }) { span in
        count += 1
        #expect(span.serviceName == (span.spanID.value % 2 == 0 ? "a" : "b"))
      }
    }
    #expect(count == 10)
  }

  @Test func transformedSpansAreThoseOfTheBody() throws {
    let fixture = try QueryFixture()
    var body = ByteWriter()
    body.put("{\"resourceSpans\":[")
    let spans: [Span] = [
      .sample(2, 1, name: "second"), .sample(1, 1, name: "first"), .sample(2, 2, parent: 1, start: 5),
    ]
    body.put(list: spans) { span, out in OTLPJSON.encodeResourceSpans(span, to: &out) }
    body.put("]}")
    let answer = try fixture.answer("/api/transform", method: "POST", body: body.string)
    #expect(answer.status == 200)
    let data = try JSON(answer.body)["data"]
    #expect(data.list.map { $0["spans"].list.count } == [2, 1])
    #expect(data[0]["spans"][0]["operationName"].text == "second")
    #expect(data[0]["spans"][1]["references"][0]["spanID"].text == "0000000000000001")
    #expect(data[0]["processes"]["p1"]["serviceName"].text == "svc")
    for bad in ["", "{", "[]", "null"] {
      let answer = try fixture.answer("/api/transform", method: "POST", body: bad)
      #expect(answer.status == 400)
      #expect(
        try JSON(answer.body)["errors"][0]["msg"].text?.hasPrefix("the body is not OTLP JSON: ") == true)
    }
    fixture.limits.spans = 2
    #expect(try fixture.answer("/api/transform", method: "POST", body: body.string).status == 413)
  }

  @Test func answerIsLimitedAndReportsIt() throws {
    let fixture = try QueryFixture()
    for trace in 1...20 as ClosedRange<UInt128> {
      try fixture.add(
        (1...50).map { .sample(trace, $0, start: UInt64(trace) * 1_000_000 + $0, tags: ["key": "value"]) })
    }
    fixture.limits.spans = 120
    var json = try fixture.get("/api/traces?service=svc")
    #expect(json["data"].list.count == 2)
    #expect(
      json["errors"][0]["msg"].text?.hasPrefix("the answer is incomplete: no more than 120 spans") == true)
    // Nothing fits, and not all is looked at.
    json = try fixture.get("/api/traces?service=svc&tag=no:such")
    #expect(json["data"].list.isEmpty)
    #expect(json["errors"].list.count == 1)
    fixture.limits.spans = 30
    json = try fixture.get("/api/traces/1")
    #expect(json["data"][0]["spans"].list.count == 30)
    #expect(json["data"][0]["spans"][0]["spanID"].text == "0000000000000001")
    #expect(
      json["data"][0]["warnings"].texts == [
        "20 spans are left out: the trace exceeds the maximum size of an answer"
      ])
    fixture.limits = AnswerLimits()
    fixture.limits.bytes = 10_000
    for path in [
      "/api/traces/1", "/api/traces?service=svc", "/api/v3/traces/1", "/api/v3/traces?\(Self.everything)",
    ] {
      let body = try fixture.answer(path).body
      #expect(body.count < 12_000, "\(path)")
      #expect(body.count > 8000, "\(path)")
      _ = try JSON(body)
    }
    fixture.limits.recordBytes = 1000
    #expect(try fixture.get("/api/traces/1")["data"][0]["spans"].list.count < 20)
  }
}
