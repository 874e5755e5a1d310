import Foundation
import TestSupport
import Testing

/// Requests that a browser was lured into sending: DNS rebinding and pages of other origins.
@Suite(.ownThreads) struct ForwarderHostTests {
  private func status(_ address: String, _ request: String) throws -> (Int, String) {
    let socket = try LocalSocket(port: UInt16(address.split(separator: ":").last ?? "") ?? 0)
    try socket.write(Data((request + "Connection: close\r\n\r\n").utf8))
    let text = String(decoding: try socket.readAll(), as: UTF8.self)
    return (Int(text.split(separator: " ").dropFirst().first ?? "") ?? 0, text)
  }

  @Test func aForeignHostIsRefusedByEveryServer() throws {
    let forwarder = try ForwarderProcess.ready([
      "--query", "127.0.0.1:0", "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0",
      "--allowed-host", "Traces.Example",
    ])
    for (name, path) in [
      ("query", "/api/services"), ("metrics", "/metrics"), ("otlp", "/v1/traces"), ("jaeger", "/api/traces"),
    ] {
      let address = forwarder.addresses[name] ?? ""
      let (_, good) = try status(address, "GET \(path) HTTP/1.1\r\nHost: \(address)\r\n")
      #expect(!good.isEmpty && !good.hasPrefix("HTTP/1.1 421"))
      for host in ["attacker.example", "attacker.example:16686", "127.0.0.1.attacker.example"] {
        let (code, text) = try status(address, "GET \(path) HTTP/1.1\r\nHost: \(host)\r\n")
        #expect(code == 421 && text.contains("--allowed-host"), "\(name) \(text)")
      }
      let (allowed, _) = try status(address, "GET \(path) HTTP/1.1\r\nHost: traces.example:443\r\n")
      #expect(allowed != 421)
      #expect(
        try status(address, "GET http://attacker.example\(path) HTTP/1.1\r\nHost: localhost\r\n").0 == 421)
      #expect(
        try status(address, "GET \(path) HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n").0 == 400)
      // No browser leaves the host out.
      #expect(try status(address, "GET \(path) HTTP/1.0\r\n").0 != 421)
    }
    #expect(try forwarder.metric("http_requests_total{code=\"421\"}") == 16)
    #expect(forwarder.log.contains("host=attacker.example") && forwarder.log.contains("--allowed-host"))
    #expect(forwarder.stop() == 0)
  }

  @Test func aPageOfAnotherOriginCannotPost() throws {
    let server = try QueryServer()
    func post(_ origin: String) throws -> Int {
      try HTTPAnswer.post(
        server.address, "/api/transform", type: "text/plain", Data("{}".utf8),
        headers: "Origin: \(origin)\r\n"
      ).status
    }
    #expect(try post("http://attacker.example") == 403)
    #expect(try post("null") == 403)
    #expect(try post("http://\(server.address)") == 200)
    #expect(try post("http://localhost:1") == 200)
  }
}
