import Foundation
import TestSupport
import Testing

/// Guests that send what they should not: it costs them, and nobody else.
@Suite(.ownThreads) struct ForwarderGuestTests {
  private func start(_ arguments: [String] = [], folder: TemporaryFolder? = nil) throws -> ForwarderProcess {
    let folder = try folder ?? TemporaryFolder()
    return try ForwarderProcess.ready(
      ["--otlp-json-file", folder.url.appendingPathComponent("spans.json").path] + arguments, in: folder)
  }

  private func spans(_ forwarder: ForwarderProcess) throws -> Set<SpanName> {
    #expect(forwarder.isRunning)
    #expect(forwarder.stop() == 0)
    return Set(try OTLPLines.names(forwarder.path("spans.json")))
  }

  @Test(arguments: [UInt64(0), 4 << 20 + 1, 1 << 40, .max, 1 << 63])
  func aBadLengthClosesItsConnectionAndNoOther(_ length: UInt64) throws {
    let forwarder = try start()
    let good = try LocalSocket(path: forwarder.agentSocket)
    try good.write(Frames.span(trace: 1, span: 1))
    let bad = try LocalSocket(path: forwarder.agentSocket)
    try bad.write(Frames.span(trace: 1, span: 2) + withUnsafeBytes(of: length.bigEndian) { Data($0) })
    #expect(bad.isClosedByPeer())
    try good.write(Frames.span(trace: 1, span: 3))
    try forwarder.waitForSpans(3)
    #expect(try forwarder.metric("connections_closed_total{reason=\"frame_length\"}") == 1)
    #expect(try forwarder.metric("spans_rejected_total{reason=\"frame_length\"}") == 1)
    // Memory is not given because somebody announced it.
    #expect(forwarder.status("VmRSS") < 100_000)
    #expect(try spans(forwarder) == Set([1, 2, 3].map { Frames.name(trace: 1, span: $0) }))
    #expect(forwarder.log.contains("length=\(length)"))
  }

  @Test func theFrameLimitIsAnOption() throws {
    let forwarder = try start(["--max-frame-size", "8K"])
    let agent = try LocalSocket(path: forwarder.agentSocket)
    try agent.write(Frames.span(trace: 1, span: 1, padding: 7000))
    try forwarder.waitForSpans(1)
    try agent.write(Frames.span(trace: 1, span: 2, padding: 9000))
    #expect(agent.isClosedByPeer())
    #expect(try spans(forwarder).count == 1)
  }

  @Test func theLargestFrameIsTaken() throws {
    let forwarder = try start(["--max-string-size", "4M"])
    let agent = try LocalSocket(path: forwarder.agentSocket)
    let empty = Frames.span(trace: 1, span: 1).count - 8
    let frame = Frames.span(trace: 1, span: 1, padding: (4 << 20) - empty)
    #expect(frame.count == 4 << 20 + 8)
    try agent.write(frame)
    try forwarder.waitForSpans(1)
    #expect(try spans(forwarder).count == 1)
  }

  @Test(.seeded) func garbageBetweenGoodFramesCostsOnlyItself() throws {
    let forwarder = try start()
    let agent = try LocalSocket(path: forwarder.agentSocket)
    var random = Seed.generator()
    var data = Data()
    for number in 1...100 {
      data += Frames.span(trace: 1, span: UInt64(number))
      let size = Int.random(in: 1...400, using: &random)
      data += Frames.frame(Data((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }))
      data += Frames.frame(Frames.span(trace: 2, span: 7).dropFirst(8).dropLast(number * 3))
    }
    try agent.write(data)
    agent.endWriting()
    try forwarder.wait("all is read") {
      try forwarder.metric("spans_received_total{receiver=\"hybrid\"}") == 300
    }
    let rejected = try forwarder.metrics().filter { $0.key.contains("spans_rejected_total{") }
    #expect(rejected.values.reduce(0, +) == 200, "\(rejected)")
    // A guest cannot fill the log.
    let lines = forwarder.log.split(separator: "\n").filter { $0.contains("a span was left out") }
    #expect(lines.count == 10)
    #expect(try spans(forwarder) == Set((1...100).map { Frames.name(trace: 1, span: UInt64($0)) }))
  }

  @Test func aFrameThatDoesNotEndIsTimed() throws {
    let forwarder = try start(["--frame-timeout", "200ms"])
    let agent = try LocalSocket(path: forwarder.agentSocket)
    let frame = Frames.span(trace: 1, span: 1)
    try agent.write(frame + frame.prefix(30))
    #expect(agent.isClosedByPeer())
    try forwarder.wait("it is counted") {
      try forwarder.metric("connections_closed_total{reason=\"partial_frame\"}") == 1
    }
    #expect(try spans(forwarder).count == 1)
  }

  @Test func aBusyStreamWhoseReadsEndInsideFramesIsNotTimed() throws {
    let forwarder = try start(["--frame-timeout", "400ms"])
    let agent = try LocalSocket(path: forwarder.agentSocket)
    let data = Frames.spans(trace: 1, 1..<41)
    let size = data.count / 40
    // Half a frame is always outstanding, for more than the time that one frame may take.
    try agent.write(data.prefix(size / 2))
    for number in 0..<39 {
      let start = size / 2 + number * size
      try agent.write(data[start..<start + size])
      try forwarder.waitForSpans(number + 1)
      Deadline.pause(seconds: 0.025)
    }
    try agent.write(data[(size / 2 + 39 * size)...])
    try forwarder.waitForSpans(40)
    #expect(try forwarder.metric("connections_closed_total{reason=\"partial_frame\"}") == 0)
    #expect(try spans(forwarder).count == 40)
  }

  @Test func aSilentConnectionIsClosedWhenThatIsAskedFor() throws {
    let forwarder = try start(["--idle-timeout", "200ms"])
    let agent = try LocalSocket(path: forwarder.agentSocket)
    try agent.write(Frames.span(trace: 1, span: 1))
    #expect(agent.isClosedByPeer())
    try forwarder.wait("it is counted") {
      try forwarder.metric("connections_closed_total{reason=\"idle\"}") == 1
    }
    #expect(try spans(forwarder).count == 1)
  }

  @Test func oneGuestHasOnlySoManyConnections() throws {
    let folder = try TemporaryFolder()
    let other = folder.url.appendingPathComponent("other.sock").path
    let forwarder = try start(["--socket-path", other, "--max-connections-per-guest", "4"], folder: folder)
    let agents = try (0..<4).map { _ in try LocalSocket(path: forwarder.agentSocket) }
    try forwarder.wait("four are connected") {
      try forwarder.metric("open_connections{receiver=\"hybrid\"}") == 4
    }
    for _ in 0..<3 { #expect(try LocalSocket(path: forwarder.agentSocket).isClosedByPeer()) }
    #expect(
      try forwarder.metric("connections_closed_total{reason=\"too_many_connections_of_one_guest\"}") == 3)
    // Another guest, at its own socket, has its own.
    let neighbour = try LocalSocket(path: "\(other)_10240")
    try neighbour.write(Frames.span(trace: 2, span: 1))
    try forwarder.waitForSpans(1)
    try agents[3].write(Frames.span(trace: 1, span: 1))
    try forwarder.waitForSpans(2)
    #expect(try spans(forwarder).count == 2)
  }

  @Test func allGuestsTogetherHaveOnlySoManyConnections() throws {
    let forwarder = try start(["--max-connections", "3"])
    let agents = try (0..<3).map { _ in try LocalSocket(path: forwarder.agentSocket) }
    try forwarder.wait("three are connected") {
      try forwarder.metric("open_connections{receiver=\"hybrid\"}") == 3
    }
    #expect(try LocalSocket(path: forwarder.agentSocket).isClosedByPeer())
    withExtendedLifetime(agents) {}
    #expect(forwarder.stop() == 0)
  }

  @Test func aFloodDoesNotKeepAnotherGuestsSpans() throws {
    let folder = try TemporaryFolder()
    let other = folder.url.appendingPathComponent("other.sock").path
    let forwarder = try start(["--socket-path", other, "--spool-max-size", "64M"], folder: folder)
    let flood = Frames.spans(trace: 9, 1..<200, padding: 2000)
    let path = forwarder.agentSocket
    let senders = (0..<4).map { _ in Flood(path, flood) }
    defer { for sender in senders { sender.stop() } }
    try forwarder.wait("the flood has begun") {
      try forwarder.metric("spans_received_total{receiver=\"hybrid\"}") > 1000
    }
    let quiet = try LocalSocket(path: "\(other)_10240")
    try quiet.write(Frames.spans(trace: 1, 1..<11))
    quiet.endWriting()
    try forwarder.wait("the quiet guest's spans are written") {
      let names = Set(try OTLPLines.names(forwarder.path("spans.json")))
      return (1..<11).allSatisfy { names.contains(Frames.name(trace: 1, span: UInt64($0))) }
    }
    for sender in senders { sender.stop() }
    #expect(forwarder.stop(SIGKILL) == -SIGKILL)
  }

  @Test func manyShortConnectionsLeaveNoDescriptors() throws {
    let forwarder = try start(["--max-connections-per-guest", "1000"])
    func descriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/\(forwarder.identifier)/fd").count
    }
    let first = try LocalSocket(path: forwarder.agentSocket)
    try first.write(Frames.span(trace: 1, span: 1))
    try forwarder.wait("all files are open") {
      try forwarder.metric("spans_exported_total{exporter=\"otlp-json-file\"}") == 1
    }
    let before = try descriptors()
    for number in 0..<300 {
      let agent = try LocalSocket(path: forwarder.agentSocket)
      try agent.write(Frames.span(trace: 2, span: UInt64(number + 1)).prefix(number % 3 == 0 ? 20 : 100_000))
    }
    try forwarder.wait("all are gone") {
      try forwarder.metric("connections_total{receiver=\"hybrid\"}") == 301
        && forwarder.metric("open_connections{receiver=\"hybrid\"}") == 1
    }
    try forwarder.wait("no descriptor is left") { try descriptors() <= before }
    #expect(try forwarder.metric("spans_rejected_total{reason=\"truncated_frame\"}") == 100)
    withExtendedLifetime(first) {}
    #expect(try spans(forwarder).count == 201)
  }

  @Test func withoutDescriptorsItWaitsAndGoesOn() throws {
    let folder = try TemporaryFolder()
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-json-file", folder.url.appendingPathComponent("spans.json").path,
        "--max-connections-per-guest",
        "100",
      ], in: folder, prefix: ["/usr/bin/prlimit", "--nofile=40:40"])
    var agents: [LocalSocket] = []
    for _ in 0..<40 { agents.append(try LocalSocket(path: forwarder.agentSocket)) }
    try agents[39].write(Frames.span(trace: 1, span: 1))
    try forwarder.wait("it says so") { forwarder.log.contains("a connection cannot be accepted") }
    // It does not spin: in a second of its waiting it uses little of the processor.
    let before = forwarder.processorTime
    Deadline.pause(seconds: 0.5)
    #expect(forwarder.processorTime - before < 25)
    agents.removeFirst(39)
    try forwarder.waitForSpans(1)
    #expect(forwarder.stop() == 0)
  }
}

/// A guest that sends the same frames continuously.
private final class Flood: @unchecked Sendable {
  private let socket: LocalSocket?
  private let lock = NSLock()
  private var isDone = false

  init(_ path: String, _ data: Data) {
    socket = try? LocalSocket(path: path)
    Thread.detachNewThread { [self] in
      // Bounded, should the test forget it.
      for _ in 0..<2000 {
        guard !lock.withLock({ isDone }), (try? socket?.write(data)) != nil else { return }
      }
    }
  }

  func stop() {
    lock.withLock { isDone = true }
    socket?.shutDown()
  }
}
