import Foundation
import TestSupport
import Testing

/// The query API and its page, asked by clients over HTTP and looked at in a browser.
@Suite(.ownThreads) struct ForwarderQueryTests {
  private static let samples = Repository.path("formats/query-api/samples")

  /// The requests of `formats/query-api/samples` get exactly the answers recorded there. `KATA_RECORD=1` records them
  /// again, and fails.
  @Test func theSamplesAreAnswered() throws {
    let server = try QueryServer()
    let isRecording = ProcessInfo.processInfo.environment["KATA_RECORD"] != nil
    let names = try FileManager.default.contentsOfDirectory(atPath: Self.samples).sorted()
    #expect(names.count >= 29)
    for name in names {
      let path = "\(Self.samples)/\(name)"
      let expected = try String(contentsOfFile: path, encoding: .utf8)
      let request = expected.prefix { $0 != "\n" }.split(separator: " ").map(String.init)
      let answer = try send(request, to: server)
      let actual = "\(request.joined(separator: " "))\n\(answer.status)\n\n\(answer.text)\n"
      if isRecording { try actual.write(toFile: path, atomically: true, encoding: .utf8) }
      #expect(!isRecording && actual == expected, "\(name)")
      #expect(answer.head.contains("Content-Type: application/json"))
    }
  }

  private func send(_ request: [String], to server: QueryServer) throws -> HTTPAnswer {
    if request[0] == "GET" { return try server.get(request[1]) }
    let file = Repository.path("formats/query-api/\(request[2])")
    return try server.post(
      request[1], request[2] == "-" ? Data("-".utf8) : Data(contentsOf: URL(fileURLWithPath: file)))
  }

  @Test func theDemoAnswersAsSoonAsItSaysSo() throws {
    let forwarder = try ForwarderProcess.ready(["demo", "--query", "127.0.0.1:0"], agents: false)
    try forwarder.wait("the demo's spans are found") {
      try forwarder.get("/api/services", at: "query").text.contains("\"kata-agent\",\"kata-runtime\"")
    }
    #expect(forwarder.stop() == 0)
  }

  /// One trace of 20,000 spans, with the answer's bounds in force: it is served, other requests too, and memory is
  /// bounded.
  @Test func aHugeTraceIsServedWithinBounds() throws {
    let server = try QueryServer()
    let text = String(repeating: "x", count: 3000)
    let bodies = (0..<20).map { batch in
      let spans = (0..<1000).map { number in
        #"{"traceId":"\#(String(repeating: "f", count: 32))","spanId":"\#(String(format: "%016x", batch * 1000 + number + 1))","name":"op","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000001000","attributes":[{"key":"text","value":{"stringValue":"\#(text)"}}]}"#
      }
      return Data(#"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#.utf8)
    }
    try server.receive(bodies)
    let answer = try server.get("/api/traces/\(String(repeating: "f", count: 32))")
    #expect(answer.status == 200)
    #expect((30 << 20..<34 << 20).contains(answer.body.count))
    #expect(answer.text.contains("spans are left out: the trace exceeds the maximum size of an answer"))
    #expect(try server.get("/api/services").status == 200)
    #expect(server.peakMemory < 400_000)
  }

  // MARK: The page

  private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

  @Test func thePageListsTraces() throws {
    let server = try QueryServer()
    let document = try Browser.document("http://\(server.address)/")
    for text in [
      ">rootSpan</bdi>", ">stop</bdi>", "#trace=\(Self.trace)", "3 traces, the newest first",
      ">kata-agent</bdi>",
      "2.1 s", "2023-11-14 22:13:20", "<option value=\"kata-runtime\">",
    ] { #expect(document.contains(text), "\(text)") }
    let none = try Browser.document("http://\(server.address)/#service=kata-agent&tags=error%3Dfalse+req%3Dx")
    #expect(none.contains("No trace fits."))
    #expect(none.contains("<option value=\"exec_process\">"))
    let refused = try Browser.document("http://\(server.address)/#min=10")
    #expect(refused.contains("malformed parameter query.durationMin"))
  }

  @Test func thePageDrawsATrace() throws {
    let server = try QueryServer()
    let document = try Browser.document("http://\(server.address)/#trace=\(Self.trace)&span=2000000000000002")
    for text in [
      // The waterfall's rows, and of the span in the link its tags, logs and process.
      ">grpc.CreateContainer</bdi>", "depth 3", ">otel.status_description</bdi>",
      ">ENOENT: no such file</bdi>",
      ">exception.message</bdi>", "+1.6 s", ">kata.sandbox.id</bdi>", ">3f2a9c51d0e8</bdi>",
      "<b class=\"bad\">1</b>",
      "error: ", "id=\"waterfall\"", "<b>7</b>",
    ] { #expect(document.contains(text), "\(text)") }
    #expect(document.components(separatedBy: "<li class=\"row").count == 8)
    let unknown = try Browser.document("http://\(server.address)/#trace=abc")
    #expect(unknown.contains("trace not found"))
    // Jaeger's own address of a trace leads to it.
    #expect(try Browser.document("http://\(server.address)/trace/\(Self.trace)").contains("id=\"waterfall\""))
  }

  @Test func whatAGuestSaysIsTextOnThePage() throws {
    let server = try QueryServer()
    let list = try Browser.document("http://\(server.address)/")
    let document = try Browser.document(
      "http://\(server.address)/#trace=7ad1b2c3d4e5f607&span=3000000000000001")
    for page in [list, document] {
      #expect(page.contains("&lt;img src=x onerror=document.title='owned'&gt;"))
      #expect(!page.contains("<img"))
      #expect(!page.contains("<title>owned</title>"))
      #expect(page.contains(">a/b &lt;i&gt;ü&lt;/i&gt;</bdi>"))
    }
    #expect(document.contains("abc\\u202egnp.exe"))
    #expect(document.contains("a\\u001b[31mb"))
    #expect(document.contains("&lt;/dd&gt;&lt;img"))
    let head = try server.get("/").head
    for field in [
      "Content-Security-Policy: default-src 'none'; script-src 'self';", "X-Content-Type-Options: nosniff",
    ] {
      #expect(head.contains(field), "\(field)")
    }
  }

  @Test(arguments: [(1200, 600, 436, 200, false), (1200, 600, 436, 200, true), (500, 900, 12, 420, false)])
  func theWaterfallsBarsAreWhereTheSpansAre(
    _ width: Int, _ height: Int, _ left: Int, _ top: Int, _ dark: Bool
  ) throws {
    let server = try QueryServer()
    let picture = try Browser.picture(
      "http://\(server.address)/#trace=\(Self.trace)", width: width, height: height, left: left, top: top,
      dark: dark)
    #expect(picture.width == width)
    #expect(picture.height == height)
    #expect(picture.colours > 100)
    // Start and end of each span, in milliseconds of the 2,100 that the trace took, in the order of the rows.
    let spans = [(0, 2000), (100, 1100), (400, 1000), (500, 900), (1500, 1750), (1900, 2100), (1200, 1300)]
    #expect(picture.bars.count == spans.count, "\(picture.bars)")
    guard picture.bars.count == spans.count else { return }
    let scale = Double(picture.bars[0][1] - picture.bars[0][0]) / 2000
    for (bar, span) in zip(picture.bars, spans) {
      // An error's frame is 3.5 pixels wide.
      #expect(abs(Double(bar[0] - picture.bars[0][0]) - Double(span.0) * scale) < 6, "\(bar)")
      #expect(abs(Double(bar[1] - picture.bars[0][0]) - Double(span.1) * scale) < 6, "\(bar)")
    }
    #expect(zip(picture.bars, picture.bars.dropFirst()).allSatisfy { $0[3] <= $1[2] })
  }

  @Test func thousandsOfSpansAreDrawnAsTheyAreScrolledTo() throws {
    let spans = (1...3000).map { number in
      #"{"traceId":"\#(String(repeating: "e", count: 32))","spanId":"\#(String(format: "%016x", number))","parentSpanId":"\#(number == 1 ? "" : "0000000000000001")","name":"op \#(number)","startTimeUnixNano":"\#(1_700_000_000_000_000_000 + number * 1000)","endTimeUnixNano":"1700000000004000000"}"#
    }
    let server = try QueryServer(
      spans: Data(#"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#.utf8))
    // A link to a span that is far below draws up to it.
    let document = try Browser.document(
      "http://\(server.address)/#trace=\(String(repeating: "e", count: 32))&span=0000000000000200")
    let rows = document.components(separatedBy: "<li class=\"row").count - 1
    #expect((512..<2000).contains(rows), "\(rows)")
    #expect(document.contains("more spans</button>"))
    #expect(document.contains("id=\"detail-511\""))
  }
}
