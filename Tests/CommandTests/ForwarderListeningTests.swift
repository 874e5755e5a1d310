import Foundation
import TestSupport
import Testing

/// What the forwarder listens on, and that it says what it does not.
@Suite(.ownThreads) struct ForwarderListeningTests {
  private static let hasVSOCK: Bool = {
    let number = socket(40, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    if number >= 0 { close(number) }
    return number >= 0
  }()

  /// A VSOCK port that no other test has; only listened on.
  private func port(_ number: UInt32) -> String { String(100_000 + UInt32(getpid()) * 8 + number) }

  @Test(.enabled(if: hasVSOCK, "this kernel has no AF_VSOCK: not tested"), arguments: [true, false])
  func aSocketPathLeavesVSOCKOn(_ isTemplate: Bool) throws {
    let folder = try TemporaryFolder()
    let template = folder.url.appendingPathComponent("vm/{ID}/clh.sock").path
    let forwarder = try ForwarderProcess.ready(
      ["--vsock-port=\(port(isTemplate ? 0 : 1))", "--query", "127.0.0.1:0"]
        + (isTemplate ? ["--socket-path-template", template] : []), in: folder, agents: !isTemplate)
    #expect(try forwarder.metric("agent_listeners{receiver=\"vsock\"}") == 1)
    #expect(!forwarder.log.contains("VSOCK ("), "\(forwarder.log)")
    #expect(forwarder.addresses["vsock"] == "on")
    #expect(forwarder.stop() == 0)
  }

  @Test(.enabled(if: hasVSOCK, "this kernel has no AF_VSOCK: not tested"))
  func withASocketPathAnotherListenerOnVSOCKIsAWarning() throws {
    let number = port(2)
    let first = try ForwarderProcess.ready(["--vsock-port=\(number)", "--query", "127.0.0.1:0"])
    let second = try ForwarderProcess.ready(["--vsock-port=\(number)", "--query", "127.0.0.1:0"])
    #expect(second.log.contains("agents over VSOCK are not received"))
    #expect(second.log.contains("choose another --vsock-port"))
    #expect(second.log.contains("not_listening=\"VSOCK (--vsock),"))
    let alone = try ForwarderProcess(["--vsock-port=\(number)", "--query", "127.0.0.1:0"], agents: false)
    #expect(alone.exitStatus == 1 && alone.log.contains("choose another --vsock-port"))
    #expect(first.stop() == 0 && second.stop() == 0)
  }

  @Test func disabledReceiversAreLoggedAtStart() throws {
    let forwarder = try ForwarderProcess.ready(["--query", "127.0.0.1:0"], agents: false)
    let line = try #require(
      forwarder.log.split(separator: "\n").first { $0.contains("some receivers are off") })
    for text in [
      "level=info", "VSOCK (--vsock)", "hybrid VSOCK (--socket-path-template)",
      "Jaeger's Thrift (--jaeger-receiver)", "OTLP (--otlp-receiver)",
    ] { #expect(line.contains(text), "\(line)") }
    #expect(forwarder.addresses["vsock"] == "off" && forwarder.addresses["otlp"] == "off")
    #expect(forwarder.stop() == 0)
    let full = try ForwarderProcess.ready([
      "--query", "127.0.0.1:0", "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0",
    ])
    #expect(full.log.contains("not_listening=\"VSOCK (--vsock)\""), "\(full.log)")
    #expect(full.stop() == 0)
  }
}
