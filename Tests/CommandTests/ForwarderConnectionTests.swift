import Foundation
import TestSupport
import Testing

/// More connections of agents than the forwarder takes: nothing that has arrived is lost.
@Suite(.ownThreads) struct ForwarderConnectionTests {
  @Test func thousandsOfShortConnectionsOneAfterTheOtherLoseNothing() throws {
    let forwarder = try ForwarderProcess.ready(["--query", "127.0.0.1:0"])
    for number in 1...2000 {
      let agent = try LocalSocket(path: forwarder.agentSocket)
      try agent.write(Frames.span(trace: 1, span: UInt64(number)))
    }
    try forwarder.wait("all are seen") {
      try forwarder.metric("connections_total{receiver=\"hybrid\"}") == 2000
        && forwarder.metric("open_connections{receiver=\"hybrid\"}") == 0
    }
    #expect(try forwarder.metric("spool_appended_spans_total") == 2000)
    #expect(try forwarder.metrics().keys.allSatisfy { !$0.contains("connections_closed_total{") })
    #expect(forwarder.stop() == 0)
  }

  /// As of a hypervisor whose socket does not block: connect(2) fails at once where the queue is full.
  @Test func aThousandConnectionsWaitForAForwarderThatIsBusy() throws {
    let forwarder = try ForwarderProcess.ready(["--query", "127.0.0.1:0"])
    try forwarder.suspend()
    for number in 1...1000 {
      let agent = try LocalSocket(path: forwarder.agentSocket, isBlocking: false)
      try agent.write(Frames.span(trace: 1, span: UInt64(number)))
    }
    forwarder.signal(SIGCONT)
    try forwarder.waitForSpans(1000)
    #expect(forwarder.stop() == 0)
  }

  @Test func aWholeFrameOverAConnectionTooManyIsKept() throws {
    let forwarder = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0", "--max-connections-per-guest", "2", "--max-connections", "3"])
    let held = try (0..<2).map { _ in try LocalSocket(path: forwarder.agentSocket) }
    try forwarder.wait("two are connected") {
      try forwarder.metric("open_connections{receiver=\"hybrid\"}") == 2
    }
    // Stopped meanwhile, so that the frame has arrived when the connection is looked at.
    try forwarder.suspend()
    let extra = try (1...3).map { number in
      let agent = try LocalSocket(path: forwarder.agentSocket)
      try agent.write(
        Frames.span(trace: 1, span: UInt64(number)) + Frames.span(trace: 1, span: 99).prefix(20))
      return agent
    }
    forwarder.signal(SIGCONT)
    for agent in extra { #expect(agent.isClosedByPeer(seconds: 60)) }
    try forwarder.waitForSpans(3)
    #expect(
      try forwarder.metric("connections_closed_total{reason=\"too_many_connections_of_one_guest\"}") == 3)
    #expect(try forwarder.metric("open_connections{receiver=\"hybrid\"}") == 2)
    withExtendedLifetime(held) {}
    #expect(forwarder.stop() == 0)
  }
}
