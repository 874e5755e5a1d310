import Testing
import Tracing

@testable import TraceForwarder

/// The warnings that Jaeger's query service puts beside spans.
struct TraceWarningsTests {
  /// The warnings of a trace, by span id.
  private func warnings(_ spans: [Span]) throws -> [String: [String]] {
    let fixture = try QueryFixture()
    try fixture.add(spans)
    let listed = try fixture.get("/api/traces/1")["data"][0]["spans"].list
    var result: [String: [String]] = [:]
    for span in listed where !span["warnings"].isNull {
      result[span["spanID"].text ?? "", default: []] += span["warnings"].texts
    }
    return result
  }

  private func skew(_ delta: String) -> String {
    "clock skew adjustment disabled; not applying calculated delta of \(delta)"
  }

  @Test func aTraceInOrderHasNone() throws {
    #expect(
      try warnings([
        .sample(1, 1, duration: 100), .sample(1, 2, parent: 1, service: "b", start: 10, duration: 50),
      ])
      .isEmpty)
  }

  @Test func aMissingParentIsNamed() throws {
    #expect(
      try warnings([.sample(1, 1), .sample(1, 2, parent: 0xabc)]) == [
        "0000000000000002": [
          "parent span ID=0000000000000abc is not in the trace; skipping clock skew adjustment"
        ]
      ])
  }

  @Test func aChildOutsideItsParentIsSkewed() throws {
    // It would be in the middle: 100 + (1000 - 200) / 2 - 2000.
    #expect(
      try warnings([
        .sample(1, 1, start: 100, duration: 1000),
        .sample(1, 2, parent: 1, service: "b", start: 2000, duration: 200),
      ]) == ["0000000000000002": [skew("-1.5ms")]])
  }

  @Test func aLongerChildOnlyMustNotBeginBefore() throws {
    let parent = Span.sample(1, 1, start: 100, duration: 100)
    #expect(try warnings([parent, .sample(1, 2, parent: 1, start: 150, duration: 900)]).isEmpty)
    #expect(
      try warnings([parent, .sample(1, 2, parent: 1, start: 50, duration: 900)]) == [
        "0000000000000002": [skew("50µs")]
      ])
  }

  @Test func oneHostHasOneClock() throws {
    let guest: KeyValuePairs = ["host.name": "guest"]
    let spans: [Span] = [
      .sample(1, 1, start: 0, duration: 1000, resource: ["host.name": "node"]),
      // The guest's clock is 4.4 ms ahead, for both of its spans alike.
      .sample(1, 2, parent: 1, service: "b", start: 5000, duration: 200, resource: guest),
      .sample(1, 3, parent: 2, service: "b", start: 5300, duration: 10, resource: guest),
      .sample(1, 4, parent: 1, start: 3000, duration: 10, resource: ["host.name": "node"]),
    ]
    #expect(
      try warnings(spans) == ["0000000000000002": [skew("-4.6ms")], "0000000000000003": [skew("-4.6ms")]])
  }

  @Test func duplicateSpanIsMergedAndSharedIDIsReported() throws {
    let spans: [Span] = [.sample(1, 1), .sample(1, 1), .sample(1, 1, name: "other", start: 5)]
    #expect(
      try warnings(spans) == ["0000000000000001": ["duplicate span IDs; skipping clock skew adjustment"]])
    let fixture = try QueryFixture()
    try fixture.add(spans)
    #expect(try fixture.get("/api/traces/1")["data"][0]["spans"].list.count == 2)
  }

  @Test func parentsInACircleEnd() throws {
    #expect(
      try warnings([.sample(1, 1, parent: 1), .sample(1, 2, parent: 3), .sample(1, 3, parent: 2)]).isEmpty)
  }

  @Test func timesAtTheirLimitsDoNotOverflow() throws {
    var parent = Span.sample(1, 1)
    parent.start = 0
    parent.end = .max
    var child = Span.sample(1, 2, parent: 1)
    child.start = .max
    child.end = 0
    #expect(try warnings([parent, child]).isEmpty)
    parent.end = 5
    child.start = .max - 1
    child.end = .max
    #expect(try warnings([parent, child])["0000000000000002"]?.count == 1)
  }
}
