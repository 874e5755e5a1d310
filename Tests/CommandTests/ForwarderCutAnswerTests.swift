import Foundation
import TestSupport
import Testing

/// A collector whose answer is cut off: it does not count as an answer, whatever its status.
@Suite(.ownThreads) struct ForwarderCutAnswerTests {
  static let answers = [
    "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1 413 X\r\n", "HTTP/1.1 400 X\r\nContent-Le",
    "HTTP/1.1 422 X\r\nContent-Length: 10\r\n\r\nabc",
  ]

  @Test(arguments: answers) func isNoAnswer(_ answer: String) throws {
    let listener = try LocalSocket(listeningOn: 0)
    listener.setTimeout(30_000)
    let forwarder = try ForwarderProcess.ready([
      "--otlp-endpoint", "http://127.0.0.1:\(listener.port)", "--retry-pause", "20ms", "--stop-timeout", "1s",
    ])
    let agent = try LocalSocket(path: forwarder.agentSocket)
    try agent.write(Frames.span(trace: 1, span: 1))
    agent.endWriting()
    for _ in 0..<3 {
      let connection = try #require(listener.accept())
      connection.setTimeout(60_000)
      _ = try connection.read()
      try connection.write(Data(answer.utf8))
      connection.endWriting()
    }
    #expect(try forwarder.metric("spans_exported_total{exporter=\"otlp\"}") == 0)
    #expect(try forwarder.get("/readyz").status == 503)
    listener.shutDown()
    #expect(forwarder.stop() == 1)
    #expect(!forwarder.log.contains("set aside"))
    #expect(forwarder.log.contains("spans are not delivered and wait in the spool"), "\(forwarder.log)")
  }
}
