import Bytes
import Testing
import Tracing

@testable import TraceForwarder

/// The index of the spool: what it rules out without reading, and how it stays within its bounds.
struct TraceIndexTests {
  private static let everything =
    "query.startTimeMin=2020-01-01T00:00:00Z&query.startTimeMax=2030-01-01T00:00:00Z"

  @Test func tracesAreForgottenOldestFirst() throws {
    var limits = TraceIndex.Capacity()
    limits.traces = 100
    let fixture = try QueryFixture(index: limits)
    for number in 1...1000 as ClosedRange<UInt128> {
      try fixture.add([.sample(number, service: "svc \(number)")])
      #expect(fixture.index.counts.traces <= 100)
    }
    #expect(fixture.index.counts.traces > 80)
    #expect(fixture.index.entry(TraceID(1000)) != nil)
    #expect(fixture.index.entry(TraceID(1)) == nil)
    // Services go with the last of their spans.
    #expect(fixture.index.services.count == fixture.index.counts.traces)
    #expect(fixture.index.counts.operations == fixture.index.counts.traces)
  }

  @Test func oneTraceTakesAQuarterAtMost() throws {
    var limits = TraceIndex.Capacity()
    limits.spans = 80
    let fixture = try QueryFixture(index: limits)
    try fixture.add((1...10).map { .sample(UInt128($0) + 1) })
    try fixture.add((1...200).map { .sample(1, $0) })
    #expect(fixture.index.counts.spans == 30)
    #expect(fixture.index.counts.traces == 11)
    let trace = try fixture.get("/api/traces/1")["data"][0]
    #expect(trace["spans"].list.count == 20)
    #expect(
      trace["warnings"].texts == ["180 spans are left out: the trace exceeds the maximum size of an answer"])
    #expect(try fixture.get("/api/v3/trace-summaries?\(Self.everything)")["summaries"].list.count == 11)
  }

  @Test func operationsBeyondTheLimitAreFoundButNotOffered() throws {
    var limits = TraceIndex.Capacity()
    limits.operations = 10
    limits.services = 2
    let fixture = try QueryFixture(index: limits)
    for number in 1...40 as ClosedRange<UInt64> {
      try fixture.add([.sample(UInt128(number), service: "svc \(number % 4)", name: "op \(number)")])
    }
    try fixture.add([.sample(50, service: "svc 1", name: String(repeating: "x", count: 5000))])
    #expect(fixture.index.services == ["svc 1", "svc 2"])
    #expect(fixture.index.counts.operations == 10)
    #expect(try fixture.get("/api/traces?service=svc+3&operation=op+39")["data"].list.count == 1)
    #expect(try fixture.get("/api/traces?service=svc+3")["data"].list.count == 10)
    #expect(try fixture.get("/api/traces?service=svc+9")["data"].list.isEmpty)
  }

  @Test func spansGoWithTheirSegment() throws {
    let fixture = try QueryFixture(spoolBytes: 64 << 10, segmentBytes: 8 << 10)
    try fixture.add([.sample(1, service: "early", name: "first"), .sample(2, 1, service: "lasting")])
    for number in 10...400 as ClosedRange<UInt64> {
      try fixture.add([
        .sample(UInt128(number), service: "later", tags: ["padding": String(repeating: "x", count: 900)])
      ])
    }
    try fixture.add([.sample(2, 2, parent: 1, service: "lasting")])
    #expect(fixture.spool.start.segment > 1)
    #expect(fixture.index.services == ["lasting", "later"])
    #expect(fixture.index.operations(of: "early").isEmpty)
    #expect(fixture.index.entry(TraceID(2))?.spans.count == 1)
    #expect(try fixture.answer("/api/traces/1").status == 404)
    #expect(fixture.index.counts.spans == fixture.spool.count(from: fixture.spool.start))
  }

  @Test func whatTheIndexRulesOutIsNotRead() throws {
    let fixture = try QueryFixture()
    for number in 1...500 as ClosedRange<UInt64> {
      try fixture.add([
        .sample(
          UInt128(number), service: "svc \(number % 2)", name: "op \(number % 50)", start: number * 1_000_000,
          duration: number)
      ])
    }
    func read(_ change: (inout TraceQuery) -> Void) -> (found: Int, read: Int) {
      var query = TraceQuery()
      query.limit = 1000
      change(&query)
      let reader = SpanReader(fixture.spool)
      let found = query.run(fixture.index, reader).traces.count
      return (found, reader.limits.spans - reader.spansLeft)
    }
    #expect(read { $0.service = "svc 1" } == (250, 250))
    #expect(read { $0.operation = "op 7" } == (10, 10))
    #expect(read { $0.minDuration = 490_000 } == (11, 11))
    #expect(read { $0.maxDuration = 3000 } == (3, 3))
    #expect(read { $0.start = Span.epoch + 499_000_000_000 } == (2, 2))
    #expect(read { $0.end = Span.epoch + 2_000_000_000 } == (2, 2))
    #expect(
      read {
        $0.operation = "op 7"
        $0.service = "svc 0"
      } == (0, 0))
    #expect(read { $0.limit = 3 } == (3, 3))
    #expect(read { $0.tags = [("no", "such")] } == (0, 500))
  }

  @Test func damagedRecordIsSkippedAndNeighboursAreFound() throws {
    let fixture = try QueryFixture()
    try fixture.add([])
    var records = ByteWriter()
    for number in 1...3 as ClosedRange<UInt128> {
      var payload = ByteWriter()
      OTLPProtobuf.encode(.sample(number), to: &payload)
      fixture.spool.key.append(payload.bytes, to: &records)
    }
    var bytes = records.array
    bytes[bytes.count - 1] ^= 1
    try bytes.withUnsafeBytes { try fixture.spool.append($0, count: 3) }
    fixture.catchUp()
    #expect(try fixture.answer("/api/traces/1").status == 200)
    #expect(try fixture.answer("/api/traces/2").status == 200)
    #expect(try fixture.answer("/api/traces/3").status == 404)
  }

  @Test(arguments: [0, 7_000, 16_000, 17_000, 31_000, 33_000, 200_000])
  func recordsOfAnySizeAreRead(_ size: Int) throws {
    let fixture = try QueryFixture()
    let text = String(repeating: "x", count: size)
    for number in 1...60 as ClosedRange<UInt64> {
      try fixture.add([.sample(1, number, name: "op \(number)", start: number * 7 % 60, tags: ["text": text])]
      )
    }
    let spans = try fixture.get("/api/traces/1")["data"][0]["spans"].list
    #expect(spans.count == 60)
    #expect(spans.allSatisfy { $0["tags"][0]["value"].text == text })
  }
}
