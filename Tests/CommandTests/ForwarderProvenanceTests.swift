import Foundation
import TestSupport
import Testing

/// Where a span is from is what its socket tells; what the sender says about that is a claim.
@Suite(.ownThreads) struct ForwarderProvenanceTests {
  private func frame(_ replacements: [(String, String)]) -> Data {
    var text = String(decoding: Frames.span(trace: 9, span: 9).dropFirst(8), as: UTF8.self)
    for (from, to) in replacements { text = text.replacingOccurrences(of: from, with: to) }
    return Frames.frame(Data(text.utf8))
  }

  private func otlp(_ resource: String, _ attributes: String) -> Data {
    func list(_ text: String) -> String {
      text.split(separator: " ").map { pair in
        let sides = pair.split(separator: "=")
        return #"{"key":"\#(sides[0])","value":{"stringValue":"\#(sides[1])"}}"#
      }.joined(separator: ",")
    }
    return Data(
      #"{"resourceSpans":[{"resource":{"attributes":[\#(list(resource))]},"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"s","startTimeUnixNano":"1760000000000000000","endTimeUnixNano":"1760000000000001000","attributes":[\#(list(attributes))]}]}]}]}"#
        .utf8)
  }

  @Test func whatAGuestSaysOfItsOriginIsAClaim() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(["--otlp-json-file", file], in: folder)
    let agent = try LocalSocket(path: forwarder.agentSocket)
    try agent.write(
      frame([
        (
          "\"service.name\"",
          "\"kata.sandbox.id\":{\"String\":\"another\"},\"kata.guest.cid\":{\"String\":\"3\"},\"kata.claimed.receiver\":{\"String\":\"x\"},\"kata.\":{\"String\":\"y\"},\"sandbox_id\":{\"String\":\"another\"},\"service.name\""
        ),
        (
          "{\"map\":{\"pad\":{\"String\":\"\"}},\"evict_list\":[\"pad\"]",
          "{\"map\":{\"pad\":{\"String\":\"\"},\"kata.sandbox.id\":{\"String\":\"another\"},\"katana\":{\"String\":\"z\"}},\"evict_list\":[\"pad\",\"kata.sandbox.id\",\"katana\"]"
        ),
        (
          "\"events\":{\"queue\":null",
          "\"events\":{\"queue\":[{\"name\":\"e\",\"timestamp\":{\"secs_since_epoch\":1760000000,\"nanos_since_epoch\":0},\"attributes\":[{\"key\":\"kata.guest.cid\",\"value\":{\"String\":\"3\"}}],\"dropped_attributes_count\":0}]"
        ),
      ]))
    try forwarder.waitForSpans(1)
    #expect(forwarder.stop() == 0)
    let resource = try #require(try OTLPLines.read(file).first).resource
    #expect(resource["kata.claimed.sandbox.id"] == "another" && resource["kata.claimed.guest.cid"] == "3")
    #expect(resource["kata.claimed.claimed.receiver"] == "x" && resource["kata.claimed."] == "y")
    #expect(resource["sandbox_id"] == "another" && resource["service.name"] == "kata-agent")
    #expect(resource.keys.allSatisfy { !$0.hasPrefix("kata.") || $0.hasPrefix("kata.claimed.") })
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(text.components(separatedBy: "\"kata.claimed.sandbox.id\"").count == 3)
    #expect(text.components(separatedBy: "\"kata.claimed.guest.cid\"").count == 3)
    #expect(!text.contains("\"kata.sandbox.id\"") && !text.contains("\"kata.guest.cid\""))
    #expect(text.contains("\"katana\""))
  }

  @Test func whatTheHostsOwnProcessesSayIsKeptAndMarked() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0"],
      in: folder, agents: false)
    let cases: [(resource: String, span: String, sandbox: String?)] = [
      ("service.name=kata kata.sandbox.id=one", "sandbox_id=two", "one"),
      ("service.name=kata", "sandbox_id=two", "two"), ("sandbox_id=three", "a=b", "three"),
      ("service.name=kata", "kata.sandbox.id=four sandbox_id=two", nil), ("service.name=kata", "a=b", nil),
    ]
    for (index, item) in cases.enumerated() {
      let answer = try HTTPAnswer.post(
        forwarder.addresses["otlp"] ?? "", "/v1/traces", type: "application/json",
        otlp(item.resource, item.span))
      #expect(answer.status == 200)
      try forwarder.waitForSpans(index + 1)
    }
    let batch = try Data(
      contentsOf: URL(fileURLWithPath: Repository.path("formats/jaeger-thrift/valid/batch.thrift")))
    #expect(
      try HTTPAnswer.post(
        forwarder.addresses["jaeger"] ?? "", "/api/traces", type: "application/x-thrift", batch
      ).status == 202)
    try forwarder.waitForSpans(cases.count + 2)
    #expect(forwarder.stop() == 0)
    let items = try OTLPLines.read(file)
    #expect(items.count == cases.count + 2)
    #expect(items.prefix(cases.count).map { $0.resource["kata.sandbox.id"] } == cases.map(\.sandbox))
    #expect(items.prefix(cases.count).allSatisfy { $0.resource["kata.receiver"] == "otlp" })
    #expect(items.suffix(2).allSatisfy { $0.resource["kata.receiver"] == "jaeger" })
    #expect(items[2].resource["service.name"] == "kata-agent")
  }

  @Test func theDemoSocketIdentifiesItsSandbox() throws {
    let forwarder = try ForwarderProcess.ready(["demo", "--query", "127.0.0.1:0"], agents: false)
    try forwarder.wait("the sandbox is there") {
      let answer = try forwarder.get("/api/traces?service=kata-agent", at: "query").text
      return answer.contains(#""key":"kata.sandbox.id","type":"string","value":"3f2a9c51"#)
    }
    #expect(forwarder.stop() == 0)
  }
}
