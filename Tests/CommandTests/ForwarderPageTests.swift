import Foundation
import TestSupport
import Testing

/// A proxy that wants a login answers 200 with a page: nothing is delivered then.
@Suite(.ownThreads) struct ForwarderPageTests {
  private static let page = Data("\n<!DOCTYPE html><title>Sign in</title>".utf8)
  private static let requests = [
    "logs":
      "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"1\",\"body\":{\"stringValue\":\"it\"}}]}]}]}",
    "traces":
      "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",\"spanId\":\"b7ad6b7169203331\",\"name\":\"it\",\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\"}]}]}]}",
  ]

  @Test(arguments: ["logs", "traces"])
  func whatAPageAnswersIsSentAgain(_ signal: String) throws {
    let collector = try FakeCollector { number, _ in .init(body: number < 2 ? Self.page : Data()) }
    let forwarder = try ForwarderProcess.ready([
      "--otlp-receiver", "127.0.0.1:0", "--otlp-endpoint", collector.endpoint, "--retry-pause", "20ms",
    ])
    let body = Data((Self.requests[signal] ?? "").utf8)
    let answer = try HTTPAnswer.post(
      forwarder.addresses["otlp"] ?? "", "/v1/\(signal)", type: "application/json", body)
    #expect(answer.status == 200)
    try forwarder.wait("it comes a third time") { collector.received.count >= 3 }
    #expect(forwarder.stop() == 0)
    #expect(collector.received.count == 3)
    #expect(forwarder.log.contains("answered 200 with a web page"), "\(forwarder.log)")
    #expect(forwarder.log.contains("check that a collector is at this URL"))
  }
}
