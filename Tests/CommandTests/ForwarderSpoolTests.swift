import Foundation
import TestSupport
import Testing

/// Nothing that was accepted is lost, whatever happens to the process, the disk and the collector.
@Suite(.ownThreads) struct ForwarderSpoolTests {
  /// An exporter that finds nobody, so that spans stay in the spool.
  private func away() throws -> [String] {
    ["--otlp-endpoint", "http://127.0.0.1:\(try Rotel.freePort())", "--stop-timeout", "100ms"]
  }

  private func toCollector(_ collector: FakeCollector) -> [String] {
    ["--otlp-endpoint", collector.endpoint, "--otlp-protocol", "http/json", "--retry-pause", "20ms"]
  }

  private func segments(_ folder: TemporaryFolder) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: folder.url.appendingPathComponent("spool"), includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "spool" }.sorted { $0.path < $1.path }
  }

  // MARK: Crashes

  /// Kills the forwarder again and again while agents send and the collector comes and goes.
  @Test(.seeded, .timeLimit(.minutes(20))) func nothingAcknowledgedToDiskIsLostByKilling() throws {
    let rounds = Deadline.isSlow ? 100 : 20
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    var acknowledged: Set<SpanName> = []
    var delivered: [SpanName] = []
    var next: UInt64 = 1
    var random = Seed.generator()
    for round in 0..<rounds {
      let forwarder = try ForwarderProcess.ready(
        [
          "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause",
          "10ms", "--batch-spans", "64", "--spool-segment-size", "64K",
        ], in: folder)
      let collector =
        round % 3 == 2
        ? nil
        : try FakeCollector(port: port) { number, _ in
          // Sometimes it takes the spans and is gone before it says so, sometimes it is busy.
          number % 7 == 3 ? nil : number % 5 == 4 ? .init(status: 503) : .init()
        }
      // A stream of its own on which whole chunks go, and the count of what is in the spool after each.
      let agent = try LocalSocket(path: forwarder.agentSocket)
      var sent: [SpanName] = []
      for _ in 0...random.below(6) {
        try agent.write(Frames.spans(trace: 1, next..<next + 40, padding: 100))
        sent += names(1, next..<next + 40)
        next += 40
      }
      // What the spool says it has is on disk, as far as the process matters; more may be under way.
      let count = try forwarder.metric("spool_appended_spans_total")
      acknowledged.formUnion(sent.prefix(count))
      #expect(forwarder.stop(SIGKILL) == -SIGKILL)
      collector?.stop()
      delivered += collector?.names ?? []
    }
    let collector = try FakeCollector(port: port)
    let last = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause",
        "10ms",
      ],
      in: folder)
    try last.wait("all is delivered") { try last.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0 }
    #expect(last.stop() == 0)
    delivered += collector.names
    #expect(!acknowledged.isEmpty && acknowledged.isSubset(of: delivered))
    // Nothing comes that was not sent. A span comes twice when the process was killed between the collector's answer,
    // or its taking the spans without one, and the note of the position.
    #expect(Set(delivered).isSubset(of: Set(names(1, 1..<next))))
    print(
      "killed \(rounds) times: \(acknowledged.count) spans acknowledged to disk, \(delivered.count) delivered, "
        + "\(delivered.count - Set(delivered).count) of them again")
  }

  @Test func tornTailIsSkippedAndCounted() throws {
    let folder = try TemporaryFolder()
    let first = try ForwarderProcess.ready(try away(), in: folder)
    try send(Frames.spans(trace: 1, 1..<11), to: first)
    try first.waitForSpans(10)
    #expect(first.stop(SIGKILL) == -SIGKILL)
    let segment = try #require(try segments(folder).last)
    let whole = try Data(contentsOf: segment)
    // The last record's payload lacks its end.
    try whole.dropLast(5).write(to: segment)
    let collector = try FakeCollector()
    let second = try ForwarderProcess.ready(toCollector(collector), in: folder)
    #expect(try second.metric("spool_recovered_spans_total") == 9)
    #expect(try second.metric("spool_cut_bytes_total") > 8)
    try send(Frames.spans(trace: 1, 20..<22), to: second)
    try second.wait("the rest is delivered") { collector.names.count == 11 }
    #expect(try second.metric("spans_lost_total{cause=\"spool_damaged\"}") == 1)
    #expect(second.log.contains("the last record lacks its end"))
    #expect(second.stop() == 1)
    #expect(collector.names == names(1, 1..<10) + names(1, 20..<22))
  }

  @Test(arguments: ["payload", "checksum", "length", "marker"])
  func damagedRecordIsSkippedAndCounted(_ part: String) throws {
    let folder = try TemporaryFolder()
    let first = try ForwarderProcess.ready(try away(), in: folder)
    try send(Frames.spans(trace: 1, 1..<21), to: first)
    try first.waitForSpans(20)
    #expect(first.stop(SIGKILL) == -SIGKILL)
    let segment = try #require(try segments(folder).last)
    var bytes = try Data(contentsOf: segment)
    let size = (bytes.count - 96) / 20
    let record = 96 + 7 * size
    bytes[record + ["marker": 2, "length": 11, "checksum": 13, "payload": 40][part, default: 0]] ^= 0x40
    try bytes.write(to: segment)
    let collector = try FakeCollector()
    let second = try ForwarderProcess.ready(toCollector(collector), in: folder)
    try second.wait("the others are delivered") { collector.names.count >= 19 }
    #expect(try second.metric("spool_damaged_records_total") == 1)
    #expect(try second.metric("spans_lost_total{cause=\"spool_damaged\"}") == 1)
    #expect(second.stop() == 1)
    #expect(second.log.contains("damaged records of the spool are lost"))
    #expect(collector.names == names(1, 1..<8) + names(1, 9..<21))
  }

  @Test func aPositionBeyondALostSegmentDoesNotHideNewSpans() throws {
    let folder = try TemporaryFolder()
    let collector = try FakeCollector()
    let first = try ForwarderProcess.ready(toCollector(collector), in: folder)
    try send(Frames.spans(trace: 1, 1..<11), to: first)
    try first.wait("they are delivered") { try first.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0 }
    #expect(first.stop() == 0)
    for segment in try segments(folder) { try FileManager.default.removeItem(at: segment) }
    let second = try ForwarderProcess.ready(toCollector(collector), in: folder)
    try send(Frames.spans(trace: 2, 1..<11), to: second)
    try second.wait("the new ones are delivered") { collector.names.count >= 20 }
    #expect(second.stop() == 0)
    #expect(collector.names == names(1, 1..<11) + names(2, 1..<11))
  }

  @Test func eachExporterHasItsOwnPosition() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let file = folder.url.appendingPathComponent("spans.json").path
    let arguments = [
      "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause", "20ms",
      "--otlp-json-file", file, "--stop-timeout", "200ms",
    ]
    let first = try ForwarderProcess.ready(arguments, in: folder)
    try send(Frames.spans(trace: 1, 1..<31), to: first)
    try first.waitForSpans(30)
    try first.wait("the file has them") {
      try first.metric("exporter_lag_spans{exporter=\"otlp-json-file\"}") == 0
    }
    #expect(try first.metric("exporter_lag_spans{exporter=\"otlp\"}") == 30)
    #expect(first.stop() == 1)
    #expect(first.log.contains("exporter=otlp spans=30"))
    let collector = try FakeCollector(port: port)
    let second = try ForwarderProcess.ready(arguments, in: folder)
    #expect(second.log.contains("the spool has spans of an earlier run"))
    try second.wait("the collector has them") { collector.names.count == 30 }
    #expect(second.stop() == 0)
    #expect(try OTLPLines.names(file) == names(1, 1..<31))
  }

  // MARK: Full

  @Test func aFullSpoolHoldsTheAgentsBackAndLosesNothing() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause",
        "20ms", "--spool-max-size", "256K", "--otlp-receiver", "127.0.0.1:0",
      ], in: folder)
    // 4 MB, of which sockets and the spool hold less than one.
    let data = Frames.spans(trace: 1, 1..<2001, padding: 1800)
    let sender = Sender(forwarder.agentSocket, data)
    let hangsUp = Sender(forwarder.agentSocket, Frames.spans(trace: 2, 1..<4))
    try forwarder.wait("it is full") { forwarder.log.contains("the spool is full") }
    try forwarder.wait("the short stream is sent") { hangsUp.isDone }
    let before = forwarder.processorTime
    // Others are told to come again.
    let request = Data(
      #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"\#(String(repeating: "x", count: 300_000))"}]}]}]}"#
        .utf8)
    let answer = try HTTPAnswer.post(
      forwarder.addresses["otlp"] ?? "", "/v1/traces", type: "application/json", request)
    #expect(answer.status == 503 && answer.head.contains("Retry-After: 1"))
    #expect(!sender.isDone)
    let size = try segments(folder).reduce(0) { try $0 + Data(contentsOf: $1).count }
    #expect(size <= 256 << 10)
    #expect(try forwarder.metric("spool_dropped_spans_total") == 0)
    // A peer that has hung up must not cause a busy loop.
    Deadline.pause(seconds: 0.3)
    #expect(forwarder.processorTime - before < 20)
    #expect(forwarder.status("VmRSS") < 120_000)

    let collector = try FakeCollector(port: port)
    try forwarder.wait("all is delivered", seconds: 60) { collector.names.count >= 2003 }
    #expect(sender.isDone)
    #expect(forwarder.stop() == 0)
    #expect(Set(collector.names) == Set(names(1, 1..<2001) + names(2, 1..<4)))
  }

  @Test func oversizedBatchIsAcceptedByAnEmptySpool() throws {
    let folder = try TemporaryFolder()
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready(
      toCollector(collector) + ["--spool-max-size", "256K"], in: folder)
    for id in 1..<6 { try send(Frames.span(trace: 1, span: UInt64(id), padding: 700_000), to: forwarder) }
    try forwarder.wait("all are delivered") { collector.names.count >= 5 }
    #expect(forwarder.stop() == 0)
    #expect(Set(collector.names) == Set(names(1, 1..<6)))
  }

  @Test func theOldestAreDroppedWhenThatIsAskedFor() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let forwarder = try ForwarderProcess.ready(
      [
        "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause",
        "20ms", "--spool-max-size", "256K", "--spool-full", "drop-oldest",
      ], in: folder)
    try send(Frames.spans(trace: 1, 1..<1001, padding: 900), to: forwarder)
    try forwarder.waitForSpans(1000)
    let dropped = try forwarder.metric("spool_dropped_spans_total")
    #expect(dropped > 500)
    let counted = try forwarder.metric("spans_lost_total{cause=\"spool_full\"}")
    let collector = try FakeCollector(port: port)
    try forwarder.wait("the newest are delivered") {
      try forwarder.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0
    }
    #expect(forwarder.stop() == 1)
    #expect(forwarder.log.contains("spans were deleted to make room in the spool"))
    #expect(dropped == counted)
    // The first batch was in the exporter's hands already.
    let received = Set(collector.names)
    #expect(Set(names(1, UInt64(dropped + 1)..<1001)).isSubset(of: received))
    #expect(received.count >= 1000 - dropped)
  }

  // MARK: Disks

  @Test func aFullDiskIsWaitedFor() throws {
    let folder = try TemporaryFolder()
    let mounted = TestDisk.isPossible
    let disk = try mounted ? TestDisk.mount(in: folder, "300k") : folder.make("disk")
    defer { if mounted { TestDisk.unmount(disk) } }
    let port = try Rotel.freePort()
    let arguments = [
      "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause", "20ms",
      "--spool-dir", disk.appendingPathComponent("spool").path, "--spool-segment-size", "64K",
    ]
    // Where nothing can be mounted, a file that may not grow is as good: the write fails in the same place.
    let prefix = mounted ? [] : ["/usr/bin/prlimit", "--fsize=60000:60000"]
    print(
      mounted
        ? "a full disk: a tmpfs of 300k"
        : "a full disk: files of 60000 bytes at most, for nothing can be mounted")
    let forwarder = try ForwarderProcess.ready(arguments, in: folder, prefix: prefix)
    let sender = Sender(forwarder.agentSocket, Frames.spans(trace: 1, 1..<1001, padding: 1800))
    try forwarder.wait("it says so") {
      forwarder.log.contains("the spool cannot be written: reading from agents is paused")
    }
    #expect(forwarder.log.contains(mounted ? "No space left on device" : "File too large"))
    try forwarder.wait("it is not ready") { try forwarder.get("/readyz").status == 503 }
    #expect(try forwarder.get("/readyz").text.contains("the spool cannot be written"))
    #expect(try forwarder.get("/healthz").status == 200)
    #expect(!sender.isDone && forwarder.isRunning)
    let collector = try FakeCollector(port: port)
    guard mounted else {
      // No segment can be begun again under the limit, but what was accepted is delivered.
      try forwarder.wait("what was accepted is delivered") { !collector.names.isEmpty }
      #expect(forwarder.stop() >= 0)
      return
    }
    try forwarder.wait("all is delivered", seconds: 60) { collector.names.count >= 1000 }
    #expect(try forwarder.get("/readyz").status == 200)
    #expect(forwarder.stop() == 0)
    #expect(Set(collector.names) == Set(names(1, 1..<1001)))
  }

  @Test(.enabled(if: TestDisk.isPossible, TestDisk.reason))
  func aReadOnlySpoolIsExplained() throws {
    let folder = try TemporaryFolder()
    let disk = try TestDisk.mount(in: folder, "64k", options: "ro,")
    defer { TestDisk.unmount(disk) }
    for user in ["root", "nobody"] {
      let forwarder = try ForwarderProcess(
        try away() + ["--spool-dir", disk.path], in: folder, user: user)
      #expect(forwarder.exitStatus == 1)
      #expect(
        forwarder.log.contains("Read-only file system") && forwarder.log.contains(disk.path),
        "\(forwarder.log)")
    }
  }

  @Test func twoForwardersDoNotShareASpool() throws {
    let first = try ForwarderProcess.ready(try away())
    let second = try ForwarderProcess(try away(), in: first.folder, agents: false)
    #expect(second.exitStatus == 1)
    #expect(second.log.contains("is another forwarder using it?"))
    #expect(first.stop() == 0)
  }

  // MARK: Memory

  @Test func memoryIsConstantWhileTheCollectorIsUnreachable() throws {
    let forwarder = try ForwarderProcess.ready(try away() + ["--retry-pause", "20ms"])
    let data = Frames.spans(trace: 1, 1..<2001, padding: 1000)
    let agent = try LocalSocket(path: forwarder.agentSocket)
    try agent.write(data)
    try forwarder.waitForSpans(2000)
    let before = forwarder.status("VmHWM")
    for round in 1..<(Deadline.isSlow ? 100 : 12) {
      try agent.write(data)
      try forwarder.waitForSpans(2000 * (round + 1))
    }
    // 26 MB are in the spool by now; kilobytes more in memory.
    let growth = forwarder.status("VmHWM") - before
    #expect(growth < 16_000, "\(before) kB and \(growth) more")
    #expect(try forwarder.metric("spool_bytes") > 20_000_000)
    #expect(forwarder.stop() == 1)
  }
}

/// An agent that sends on a thread of its own, for it may be held back.
private final class Sender: @unchecked Sendable {
  private let lock = NSLock()
  private var isSent = false

  init(_ path: String, _ data: Data) {
    Thread.detachNewThread { [self] in
      guard let socket = try? LocalSocket(path: path), (try? socket.write(data)) != nil else { return }
      socket.endWriting()
      lock.withLock { isSent = true }
    }
  }

  var isDone: Bool { lock.withLock { isSent } }
}
