import Foundation
import TestSupport
import Testing

/// A forwarder whose process may open no more files: it goes on by itself when there are some again.
@Suite(.ownThreads, .timeLimit(.minutes(10))) struct ForwarderShortageTests {
  private static let prlimit = "/usr/bin/prlimit"

  /// Connects agents, each of which has begun a frame, until no descriptor is left.
  private func useUpDescriptors(of forwarder: ForwarderProcess) throws -> [LocalSocket] {
    let agents = try (0..<80).map { _ in
      let agent = try LocalSocket(path: forwarder.agentSocket)
      try agent.write(Data([0, 0, 0]))
      return agent
    }
    try forwarder.wait("the descriptors are used up") {
      forwarder.log.contains("a connection cannot be accepted")
    }
    return agents
  }

  private func openFiles(of process: Int32) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
  }

  @Test(arguments: ["--otlp-json-file", "--jaeger-json"])
  func theFirstSpanIsDeliveredWhenOthersHaveHungUp(_ exporter: String) throws {
    let folder = try TemporaryFolder()
    let output = folder.url.appendingPathComponent("output").path
    let forwarder = try ForwarderProcess.ready(
      [exporter, output, "--max-connections-per-guest", "200"], in: folder,
      prefix: [Self.prlimit, "--nofile=48:48"])
    let early = try LocalSocket(path: forwarder.agentSocket)
    try forwarder.wait("it is connected") {
      try forwarder.metric("open_connections{receiver=\"hybrid\"}") == 1
    }
    var others = try useUpDescriptors(of: forwarder)
    try early.write(Frames.span(trace: 1, span: 7))
    // The spool has kept a descriptor for its first segment.
    try forwarder.waitForSpans(1)
    others.removeAll()
    try forwarder.wait("it is exported") {
      try forwarder.metrics().contains { $0.key.contains("spans_exported_total{") && $0.value == 1 }
    }
    early.endWriting()
    #expect(forwarder.stop() == 0)
    #expect(FileManager.default.fileExists(atPath: output))
  }

  /// What ended inside a frame is let go of meanwhile, and what has whole frames is not.
  @Test func whatHungUpWithAWholeFrameIsKeptMeanwhile() throws {
    let folder = try TemporaryFolder()
    let output = folder.url.appendingPathComponent("output").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", output, "--max-connections-per-guest", "200"], in: folder,
      prefix: [Self.prlimit, "--nofile=48:48"])
    let early = try (1...3).map { _ in try LocalSocket(path: forwarder.agentSocket) }
    try forwarder.wait("they are connected") {
      try forwarder.metric("open_connections{receiver=\"hybrid\"}") == 3
    }
    var others = try useUpDescriptors(of: forwarder)
    for (index, agent) in early.enumerated() {
      let id = UInt64(index) + 1
      try agent.write(
        Frames.spans(trace: id, 1..<40, padding: 2000) + Frames.span(trace: id, span: 99).prefix(9))
      agent.endWriting()
    }
    // The spool has kept a descriptor for its first segment.
    try forwarder.waitForSpans(117)
    others.removeAll()
    try forwarder.wait("all are gone") { try forwarder.metric("open_connections{receiver=\"hybrid\"}") == 0 }
    #expect(forwarder.stop() == 0)
    #expect(try OTLPLines.names(output).count == 117)
  }

  @Test func theWatchdogIsFed() throws {
    let folder = try TemporaryFolder()
    let manager = try NotifySocket(folder.url.appendingPathComponent("notify").path)
    let forwarder = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0", "--max-connections-per-guest", "200"], in: folder,
      environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "300000"],
      prefix: [Self.prlimit, "--nofile=48:48"])
    let agents = try useUpDescriptors(of: forwarder)
    // What was said before.
    while manager.next(seconds: 0) != nil {}
    for _ in 0..<3 { #expect(manager.next() == "WATCHDOG=1") }
    withExtendedLifetime(agents) {}
    #expect(forwarder.isRunning)
  }

  /// It starts with few descriptors: either all of it is there until its idle time ends it, or it never was ready.
  @Test func itIsReadyOnlyWithAllItsThreads() throws {
    let arguments = ["--query", "127.0.0.1:0", "--exit-idle-time", "2s"]
    let first = try ForwarderProcess.ready(arguments)
    let most = try openFiles(of: first.identifier)
    #expect(first.stop() == 0)
    let runs = try (most - 12...most).map { limit in
      try ForwarderProcess(arguments, prefix: [Self.prlimit, "--nofile=\(limit):\(limit)"])
    }
    let ready = runs.count { run in
      let status = run.exitStatus
      let isReady = run.log.contains("\"the forwarder is ready\"")
      #expect(status == (isReady ? 0 : 1), "\(run.log)")
      return isReady
    }
    #expect((1..<runs.count).contains(ready))
  }

  @Test func helperWithoutDescriptorsKeepsSandboxes() throws {
    let folder = try TemporaryFolder()
    _ = try folder.make("vm/one")
    let template = "\(folder.url.path)/vm/{ID}/clh.sock"
    let forwarder = try ForwarderProcess.ready(
      ["--socket-path-template", template, "--query", "127.0.0.1:0"], in: folder, agents: false)
    func path(_ sandbox: String) -> String { "\(folder.url.path)/vm/\(sandbox)/clh.sock_10240" }
    try forwarder.wait("the socket") { (try? LocalSocket(path: path("one"))) != nil }
    let helper = try #require(forwarder.children.first)
    func limit(_ count: Int) throws {
      #expect(try Tool.run(Self.prlimit, ["--pid", "\(helper)", "--nofile=\(count):4096"]).status == 0)
    }
    try limit(openFiles(of: helper))
    _ = try folder.make("vm/two")
    try forwarder.wait("it lacks descriptors") { forwarder.log.contains("Too many open files") }
    try limit(4096)
    _ = try folder.make("vm/three")
    for sandbox in ["one", "two", "three"] {
      try forwarder.wait("the socket of \(sandbox)") { (try? LocalSocket(path: path(sandbox))) != nil }
    }
    #expect(!forwarder.log.contains("a sandbox is gone"), "\(forwarder.log)")
    #expect(forwarder.stop() == 0)
  }
}
