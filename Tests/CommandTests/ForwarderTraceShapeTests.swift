import Foundation
import TestSupport
import Testing

/// Traces of unusual shapes in the query API, on the page and in files.
@Suite(.ownThreads) struct ForwarderTraceShapeTests {
  private static let trace = "0102030405060708090a0b0c0d0e0f10"

  /// - Parameter start: milliseconds.
  private func span(
    _ id: Int, parent: Int = 0, name: String = "s", start: Int = 0, trace: String = Self.trace,
    more: String = ""
  ) -> String {
    func hex(_ id: Int) -> String { id == 0 ? "" : String(format: "%016x", id) }
    return
      #"{"traceId":"\#(trace)","spanId":"\#(hex(id))","parentSpanId":"\#(hex(parent))","name":"\#(name)","startTimeUnixNano":"\#(1_700_000_000_000 + start)000000","endTimeUnixNano":"\#(1_700_000_000_010 + start)000000"\#(more)}"#
  }

  private func request(_ spans: [String]) -> Data {
    Data(
      #"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"svc"}}]},"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#
        .utf8)
  }

  private func spans(_ server: QueryServer, _ answer: HTTPAnswer) throws -> [[String: Any]] {
    let data = try server.object(answer.body)["data"] as? [[String: Any]] ?? []
    return data.flatMap { $0["spans"] as? [[String: Any]] ?? [] }
  }

  @Test func tagsOfLinksAreSearched() throws {
    let links =
      #","links":[{"traceId":"\#(Self.trace)","spanId":"00000000000000aa","attributes":[{"key":"why","value":{"stringValue":"retry"}}]}]"#
    let server = try QueryServer(spans: request([span(1, more: links)]))
    #expect(try spans(server, server.get("/api/traces?service=svc&tag=why:retry")).count == 1)
    #expect(try spans(server, server.get("/api/traces?service=svc&tag=why:other")).isEmpty)
    let summaries = try server.get(
      "/api/v3/trace-summaries?query.startTimeMin=1970-01-01T00:00:00Z&query.startTimeMax=2200-01-01T00:00:00Z&query.attributes=%7B%22why%22:%22retry%22%7D"
    )
    #expect(summaries.text.contains(Self.trace))
  }

  @Test func transformingOnlyTranslates() throws {
    let server = try QueryServer()
    // A repeated span, a child that is outside of its parent, one without its parent, and none in order of time.
    let body = request([
      span(3, parent: 2, start: 500), span(2, start: 100), span(3, parent: 2, start: 500), span(4, parent: 9),
    ])
    let answer = try server.post("/api/transform", body)
    #expect(answer.status == 200)
    let found = try spans(server, answer)
    #expect(found.map { $0["spanID"] as? String } == [3, 2, 3, 4].map { String(format: "%016x", $0) })
    #expect(found.allSatisfy { $0["warnings"] is NSNull }, "\(answer.text)")
  }

  @Test(arguments: [
    ("nameless", "", "svc"), ("loop", "first", "svc"), ("itself", "first", "svc"), ("waiting", "", ""),
  ])
  func theRootIsTheFirstSpanOrSaidToBeMissing(_ shape: String, _ name: String, _ service: String) throws {
    let all: [String] =
      switch shape {
      case "nameless": [span(1, name: ""), span(2, parent: 1, name: "child", start: 1)]
      case "loop": [span(2, parent: 1, name: "second", start: 1), span(1, parent: 2, name: "first")]
      case "itself": [span(1, parent: 1, name: "first"), span(2, parent: 1, name: "second", start: 1)]
      default: [span(1, parent: 7, name: "first"), span(2, parent: 2, name: "second", start: 1)]
      }
    let server = try QueryServer(spans: request(all))
    let text = try server.get(
      "/api/v3/trace-summaries?query.startTimeMin=1970-01-01T00:00:00Z&query.startTimeMax=2200-01-01T00:00:00Z"
    ).text
    #expect(text.contains(#""rootServiceName":"\#(service)","rootOperationName":"\#(name)""#), "\(text)")
    #expect(try spans(server, server.get("/api/traces/\(Self.trace)")).count == 2)
    let list = try Browser.document("http://\(server.address)/")
    #expect(list.contains("root span not received yet") == (service == ""))
    if shape == "nameless" { #expect(list.contains(">(no name)</bdi>")) }
    if shape == "loop" || shape == "itself" { #expect(list.contains(">first</bdi>")) }
    let page = try Browser.document("http://\(server.address)/#trace=\(Self.trace)")
    #expect(page.components(separatedBy: "<li class=\"row").count == 3)
    if shape == "nameless" { #expect(page.contains(">(no name)</bdi>")) }
  }

  @Test func aSearchOfTheJaegerUIKeepsItsParameters() throws {
    let server = try QueryServer()
    let plain = try server.get("/search")
    #expect(plain.status == 302 && plain.head.contains("Location: ./\r\n"))
    let query = "service=kata%20runtime&tags=%7B%22a%22%3A%22b%20c%22%7D&lookback=2d&limit=20&minDuration=1ms"
    let answer = try server.get("/search?\(query)&operation=all")
    #expect(answer.status == 302)
    #expect(answer.head.contains("Location: ./?\(query)&operation=all\r\n"), "\(answer.head)")
    // What would end the field is escaped.
    let hostile = try server.get("/search?a=%0d%0aSet-Cookie:%20b")
    #expect(hostile.head.contains("Location: ./?a=%0D%0ASet-Cookie%3A%20b\r\n"), "\(hostile.head)")
    let page = try Browser.document(
      "http://\(server.address)/search?service=kata-runtime&operation=create&limit=20")
    #expect(page.contains("grpc.CreateContainer") || page.contains("create"))
    #expect(page.contains("1 trace, the newest first"), "\(page.suffix(3000))")
  }

  // MARK: Files

  @Test func noFileIsLargerThanItsLimit() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--rotate-size", "64K", "--rotate-keep", "100", "--batch-spans", "512"],
      in: folder)
    let agent = try LocalSocket(path: forwarder.agentSocket)
    // One line is longer than a file may be: it has a file of its own.
    let all =
      Frames.spans(trace: 1, 1..<300, padding: 300) + Frames.span(trace: 1, span: 300, padding: 100_000)
      + Frames.spans(trace: 1, 301..<600, padding: 300)
    try agent.write(all)
    try forwarder.waitForSpans(599)
    #expect(forwarder.stop() == 0)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter {
      $0.hasPrefix("spans.json")
    }
    var spans: [SpanName] = []
    var large = 0
    for name in names {
      let path = folder.url.appendingPathComponent(name).path
      let found = try OTLPLines.names(path)
      spans += found
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
      if size > 64 << 10 {
        large += 1
        #expect(found == [Frames.name(trace: 1, span: 300)], "\(name) has \(size) bytes")
      }
    }
    #expect(large == 1)
    #expect(spans.sorted() == (1..<600).map { Frames.name(trace: 1, span: UInt64($0)) }.sorted())
  }

  /// What a growing trace costs in writing, and that nothing of it is taken for delivered before it is written.
  @Test func aGrowingTraceIsNotWrittenOverAndOver() throws {
    let folder = try TemporaryFolder()
    let directory = folder.url.appendingPathComponent("traces").path
    let arguments = ["--jaeger-json", directory]
    let forwarder = try ForwarderProcess.ready(arguments, in: folder)
    func written() throws -> Int {
      let text = try String(contentsOfFile: "/proc/\(forwarder.identifier)/io", encoding: .utf8)
      return text.split(separator: "\n").first { $0.hasPrefix("wchar:") }
        .flatMap { Int($0.dropFirst(7)) } ?? 0
    }
    let before = try written()
    let start = Date()
    let agent = try LocalSocket(path: forwarder.agentSocket)
    for step in 0..<40 {
      let first = UInt64(step * 50 + 1)
      try agent.write(Frames.spans(trace: 1, first..<first + 50, padding: 4000))
      try forwarder.waitForSpans((step + 1) * 50)
      // Time for the exporter to come to it.
      Deadline.pause(seconds: 0.1)
    }
    let total = try written() - before
    let rate = Int(Date().timeIntervalSince(start) * 1.5 * 1_048_576)
    // The spool has the 8 MB once, the file perhaps a few times while it is small, and then by its rate.
    #expect(total < 30_000_000 + rate, "\(total) bytes in \(rate)")
    // Killed before the last of it is written: the next run has it from the spool.
    #expect(forwarder.stop(SIGKILL) == -SIGKILL)
    let next = try ForwarderProcess.ready(arguments, in: folder)
    #expect(next.stop() == 0)
    let file = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(Frames.hex(1, 32)).json"))
    let document = try JSONSerialization.jsonObject(with: file) as? [String: Any]
    let traces = document?["data"] as? [[String: Any]] ?? []
    let ids = traces.flatMap { $0["spans"] as? [[String: Any]] ?? [] }.compactMap { $0["spanID"] as? String }
    #expect(Set(ids).count == 2000 && ids.count == 2000)
  }
}
