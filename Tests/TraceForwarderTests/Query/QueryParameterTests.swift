import Testing

@testable import TraceForwarder

/// What both generations of the API take and what they say of what they cannot take.
struct QueryParameterTests {
  private static let times = "query.startTimeMin=2023-11-14T00:00:00Z&query.startTimeMax=2023-11-15T00:00:00Z"

  @Test(arguments: [
    ("", "parameter 'service' is required"), ("service=", "parameter 'service' is required"),
    ("service=a&start=x", "unable to parse param 'start': \"x\" is not a number of microseconds"),
    ("service=a&end=-1", "unable to parse param 'end': \"-1\" is not a number of microseconds"),
    ("service=a&minDuration=5", "unable to parse param 'minDuration': \"5\" is not a duration such as 1.5ms"),
    ("service=a&maxDuration=x", "unable to parse param 'maxDuration': \"x\" is not a duration such as 1.5ms"),
    ("service=a&minDuration=2s&maxDuration=1s", "'maxDuration' should be greater than 'minDuration'"),
    ("service=a&limit=ten", "unable to parse param 'limit': \"ten\" is not a number of traces"),
    ("service=a&limit=-1", "unable to parse param 'limit': \"-1\" is not a number of traces"),
    (
      "service=a&lookback=999999999999999999d",
      "unable to parse param 'lookback': \"999999999999999999d\" is not a duration such as 1h or 2d"
    ),
    ("service=a&tag=x", "malformed 'tag' parameter, expecting key:value, received: x"),
    ("service=a&tags=x", "malformed 'tags' parameter, expecting a JSON object of texts, received: x"),
    (
      "service=a&tags=%7B%22a%22:%5B%5D%7D",
      "malformed 'tags' parameter, expecting a JSON object of texts, received: {\"a\":[]}"
    ),
    ("traceID=xyz", "cannot parse traceID param: \"xyz\""),
  ])
  func firstGenerationRefuses(_ parameters: String, _ message: String) throws {
    let fixture = try QueryFixture()
    let answer = try fixture.answer("/api/traces?\(parameters)")
    #expect(answer.status == 400)
    let json = try JSON(answer.body)
    #expect(json.keys == ["data", "errors", "limit", "offset", "total"])
    #expect(json["data"].isNull)
    #expect(json["errors"][0]["code"].number == 400)
    #expect(json["errors"][0]["msg"].text == message)
  }

  @Test(arguments: [
    ("", "query.startTimeMin and query.startTimeMax are required"),
    ("query.startTimeMin=2023-11-14T00:00:00Z", "query.startTimeMin and query.startTimeMax are required"),
    (
      "query.startTimeMin=x&query.startTimeMax=x",
      "malformed parameter query.startTimeMin: \"x\" is not a time of RFC 3339"
    ),
    (
      "query.startTimeMin=2024-01-01T00:00:00Z&query.startTimeMax=2023-01-01T00:00:00Z",
      "query.startTimeMin must be before query.startTimeMax"
    ),
    (
      times + "&query.durationMin=5",
      "malformed parameter query.durationMin: \"5\" is not a duration such as 1.5ms"
    ),
    (
      times + "&query.duration_max=x",
      "malformed parameter query.durationMax: \"x\" is not a duration such as 1.5ms"
    ),
    (
      times + "&query.searchDepth=x",
      "unable to parse param 'query.searchDepth': \"x\" is not a number of traces"
    ),
    (
      times + "&query.attributes=x",
      "malformed parameter query.attributes: \"x\" is not a JSON object of texts"
    ),
    (times + "&query.filter=%7B%7D", "query.filter is not supported; use query.attributes"),
  ])
  func thirdGenerationRefuses(_ parameters: String, _ message: String) throws {
    let fixture = try QueryFixture()
    for path in ["traces", "trace-summaries"] {
      let answer = try fixture.answer("/api/v3/\(path)?\(parameters)")
      #expect(answer.status == 400)
      let error = try JSON(answer.body)["error"]
      #expect(error["httpCode"].number == 400)
      #expect(error["message"].text == message)
    }
  }

  /// Each with the ids of the traces that it finds, the newest first.
  @Test(
    arguments: [
      ("service=runtime", [3, 1]), ("service=agent", [2, 1]), ("service=no", []),
      ("service=agent&operation=rpc", [1]), ("service=agent&operation=", [2, 1]),
      // One span must fit all that is asked.
      ("service=runtime&operation=rpc", []),
      ("service=agent&tag=key:a:b", [1]), ("service=agent&tags=%7B%22key%22:%22a:b%22%7D", [1]),
      ("service=agent&tag=key:a:b&tag=other:x", []), ("service=agent&tag=error:true", [2]),
      ("service=agent&tag=error:false", [1]), ("service=agent&tag=span.kind:server", [1]),
      ("service=agent&tag=otel.status_description:boom", [2]), ("service=agent&tag=sandbox:s1", [1]),
      ("service=agent&minDuration=1ms", [2]), ("service=agent&maxDuration=999us", [1]),
      ("service=agent&maxDuration=0s", [2, 1]),
      ("service=runtime&limit=1", [3]), ("service=runtime&limit=0", [3, 1]),
      ("service=runtime&limit=", [3, 1]),
      ("service=runtime&start=1700000001000000", [3]), ("service=runtime&end=1700000001000000", [1]),
      ("service=runtime&start=1700000000000000&end=1700000000000000", [1]),
      ("service=runtime&start=99999999999999999999999&end=", nil),
      ("service=runtime&start=18446744073709551615", []),
      ("service=runtime&lookback=1h", []), ("service=runtime&lookback=100000d", [3, 1]),
      ("service=runtime&lookback=custom", [3, 1]),
      ("service=runtime&lookback=1h&start=1700000000000000", [3, 1]),
    ] as [(String, [Int]?)])
  func firstGenerationFinds(_ parameters: String, _ ids: [Int]?) throws {
    let fixture = try filled()
    let answer = try fixture.answer("/api/traces?\(parameters)")
    guard let ids else {
      #expect(answer.status == 400)
      return
    }
    let json = try JSON(answer.body)
    #expect(answer.status == 200)
    #expect(json["errors"].isNull)
    #expect(json["data"].list.map { Int($0["traceID"].text ?? "", radix: 16) } == ids)
  }

  @Test(arguments: [
    ("", [3, 2, 1]), ("&query.serviceName=agent", [2, 1]),
    ("&query.service_name=agent&query.operation_name=rpc", [1]),
    ("&query.attributes=%7B%22key%22:%22a:b%22%7D", [1]), ("&query.durationMin=1ms", [2]),
    ("&query.duration_max=999us", [3, 1]),
    ("&query.searchDepth=2", [3, 2]), ("&query.search_depth=2", [3, 2]), ("&query.num_traces=1", [3]),
  ])
  func thirdGenerationFinds(_ parameters: String, _ ids: [Int]) throws {
    let fixture = try filled()
    let times =
      "query.startTimeMin=1960-01-01T00:00:00Z&query.start_time_max=9999-12-31T23:59:59.999999999%2B01:00"
    let json = try fixture.get("/api/v3/trace-summaries?\(times)\(parameters)")
    #expect(json["summaries"].list.map { Int($0["traceId"].text ?? "", radix: 16) } == ids)
  }

  private func filled() throws -> QueryFixture {
    let fixture = try QueryFixture()
    try fixture.add([
      .sample(1, 1, service: "runtime", name: "create", duration: 900),
      .sample(
        1, 2, parent: 1, service: "agent", name: "rpc", start: 10, duration: 500, kind: .server,
        tags: ["key": "a:b"],
        resource: ["sandbox": "s1"]),
      .sample(2, 1, service: "agent", name: "start", start: 1_000_000, duration: 2000, error: "boom"),
      .sample(3, 1, service: "runtime", name: "stop", start: 2_000_000, duration: 1),
    ])
    return fixture
  }
}
