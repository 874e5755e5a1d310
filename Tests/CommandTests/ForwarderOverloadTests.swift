import Foundation
import TestSupport
import Testing

/// More connections and slower readers over HTTP than the forwarder takes: nobody else is shut out.
@Suite(.ownThreads) struct ForwarderOverloadTests {
  private func start(_ arguments: [String]) throws -> ForwarderProcess {
    try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0", "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0"]
        + arguments)
  }

  private func connect(_ forwarder: ForwarderProcess, _ name: String, _ text: String = "") throws
    -> LocalSocket
  {
    let port = UInt16((forwarder.addresses[name] ?? "").split(separator: ":").last ?? "") ?? 0
    let socket = try LocalSocket(port: port)
    try socket.write(Data(text.utf8))
    return socket
  }

  private func waitForConnections(_ forwarder: ForwarderProcess, _ count: Int) throws {
    // The one that asks counts too.
    try forwarder.wait("\(count) connections") {
      try forwarder.metric("connections_total{receiver=\"http\"}") >= count
    }
  }

  @Test func halfOpenRequestsDoNotBlockOtherClients() throws {
    let forwarder = try start(["--max-http-connections", "20"])
    let body = Data("{}".utf8)
    var open: [LocalSocket] = []
    for name in ["jaeger", "otlp", "query", "metrics"] {
      for _ in 0..<30 { open.append(try connect(forwarder, name, "POST /x HTTP/1.1\r\n")) }
    }
    for _ in 0..<3 {
      #expect(try forwarder.get("/healthz").text == "ok\n")
      #expect(try forwarder.get("/healthz", at: "query").text == "ok\n")
      #expect(try forwarder.get("/api/services", at: "query").status == 200)
      let answer = try HTTPAnswer.post(
        forwarder.addresses["otlp"] ?? "", "/v1/traces", type: "application/json", body)
      #expect(answer.status == 200)
    }
    #expect(try forwarder.metric("connections_closed_total{reason=\"replaced_request\"}") >= 60)
    #expect(try forwarder.metric("connections_closed_total{reason=\"too_many_http_connections\"}") == 0)
    // A stop waits for requests that have begun.
    open.removeAll()
    #expect(forwarder.stop() == 0)
  }

  @Test func anIdleConnectionGoesBeforeOneThatSends() throws {
    let forwarder = try start(["--max-http-connections", "2"])
    let half = try connect(forwarder, "otlp", "GET /v1/traces HTTP/1.1\r\n")
    let idle = try connect(forwarder, "otlp", "GET /v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(String(decoding: try idle.read(), as: UTF8.self).hasPrefix("HTTP/1.1 405"))
    let third = try connect(forwarder, "jaeger", "GET / HTTP/1.1\r\nHost: localhost\r\n")
    #expect(idle.isClosedByPeer(seconds: 60))
    try half.write(Data("Host: localhost\r\n\r\n".utf8))
    #expect(String(decoding: try half.read(), as: UTF8.self).hasPrefix("HTTP/1.1 405"))
    // Now the first is idle, and the other one's request is not whole.
    let fourth = try connect(forwarder, "jaeger", "GET / HTTP/1.1\r\nHost: localhost\r\n")
    #expect(half.isClosedByPeer(seconds: 60))
    let fifth = try connect(forwarder, "jaeger", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    let evicted = String(decoding: try third.readAll(), as: UTF8.self)
    #expect(evicted.hasPrefix("HTTP/1.1 503"), "\(evicted)")
    #expect(String(decoding: try fifth.read(), as: UTF8.self).hasPrefix("HTTP/1.1 404"))
    #expect(try forwarder.metric("connections_closed_total{reason=\"replaced_idle\"}") == 2)
    #expect(try forwarder.metric("connections_closed_total{reason=\"replaced_request\"}") == 1)
    // A stop waits for requests that have begun.
    fourth.shutDown()
    #expect(forwarder.stop() == 0)
  }

  @Test func withoutDescriptorsHealthIsToldAndNothingSpins() throws {
    let folder = try TemporaryFolder()
    let forwarder = try ForwarderProcess.ready(
      [
        "--query", "127.0.0.1:0", "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0",
        "--max-connections-per-guest", "200",
      ], in: folder, prefix: ["/usr/bin/prlimit", "--nofile=64:64"])
    var agents: [LocalSocket] = []
    for _ in 0..<80 { agents.append(try LocalSocket(path: forwarder.agentSocket)) }
    try forwarder.wait("the descriptors are used up") {
      forwarder.log.contains("a connection cannot be accepted")
    }
    // Three that wait to be accepted, of which there is a descriptor for one at a time.
    let waiting = try (0..<3).map { _ in try connect(forwarder, "jaeger") }
    for _ in 0..<5 {
      #expect(try forwarder.get("/healthz").text == "ok\n")
      #expect(try forwarder.get("/healthz", at: "query").text == "ok\n")
    }
    let before = forwarder.processorTime
    Deadline.pause(seconds: 1)
    #expect(forwarder.processorTime - before < 30)
    #expect(forwarder.log.contains("raise LimitNOFILE="))
    let answer = try HTTPAnswer.post(
      forwarder.addresses["otlp"] ?? "", "/v1/traces", type: "application/json", Data("{}".utf8))
    #expect(answer.status == 200)
    withExtendedLifetime(waiting) {}
    agents.removeAll()
    #expect(forwarder.stop() == 0)
  }

  @Test func unreadAnswersAreBounded() throws {
    let text = String(repeating: "x", count: 3000)
    let spans = (1...3000).map { number in
      #"{"traceId":"\#(String(repeating: "f", count: 32))","spanId":"\#(String(format: "%016x", number))","name":"op","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000001000","attributes":[{"key":"text","value":{"stringValue":"\#(text)"}}]}"#
    }
    let server = try QueryServer(
      ["--query-max-unread", "1M"],
      spans: Data(#"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}]}"#.utf8))
    let path = "/api/traces/\(String(repeating: "f", count: 32))"
    // One answer may be larger than what may wait.
    let whole = try server.get(path)
    #expect(whole.status == 200 && whole.body.count > 9 << 20)
    let peak = server.peakMemory
    let port = UInt16(server.address.split(separator: ":").last ?? "") ?? 0
    let clients = try (0..<30).map { _ in
      let client = try LocalSocket(port: port)
      var size: Int32 = 4096
      setsockopt(client.number, SOL_SOCKET, SO_RCVBUF, &size, 4)
      try client.write(Data("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
      return client
    }
    // The last one is told to come again, and so comes to an end at once.
    var refused = 0
    for client in clients.dropFirst() {
      let start = String(decoding: try client.read(2000), as: UTF8.self)
      if start.hasPrefix("HTTP/1.1 503") {
        refused += 1
        #expect(start.contains("Retry-After: 1") && start.contains("--query-max-unread"), "\(start)")
      }
    }
    #expect(refused > 0)
    // What needs no span is answered all the same.
    for path in ["/api/services", "/api/v3/services", "/api/operations?service=x", "/", "/healthz"] {
      #expect(try server.get(path).status == 200, "\(path)")
    }
    #expect(try server.get("/healthz").text == "ok\n")
    #expect(server.peakMemory - peak < 60_000, "\(peak) \(server.peakMemory)")
    // Who does not read loses the answer to one who does.
    try Deadline.wait("a client that reads is answered") {
      try server.get(path).body.count == whole.body.count
    }
    #expect(try server.get("/metrics").text.contains("connections_closed_total{reason=\"slow_reader\"}"))
    #expect(server.peakMemory - peak < 60_000, "\(peak) \(server.peakMemory)")
    withExtendedLifetime(clients) {}
  }
}
