import Foundation
import TestSupport
import Testing

/// Disks that are full, read-only, removed and back, and files that are damaged: what is not touched is delivered, and
/// the forwarder goes on by itself.
@Suite(.ownThreads) struct ForwarderDiskTests {
  private func toCollector(_ port: UInt16) -> [String] {
    [
      "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause", "20ms",
    ]
  }

  /// A file system of a few kilobytes; nil where nothing can be mounted.
  private func metric(_ name: String, of forwarder: ForwarderProcess) throws -> Int {
    try forwarder.metric("spans_lost_total{cause=\"\(name)\"}")
  }

  // MARK: Damage

  /// In the last segment, so that the record seems to go beyond the end.
  @Test func aFlippedBitInALengthOfTheLastSegmentCostsOneSpan() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let first = try ForwarderProcess.ready(toCollector(port) + ["--stop-timeout", "100ms"], in: folder)
    try send(Frames.spans(trace: 1, 1..<1001), to: first)
    try first.waitForSpans(1000)
    #expect(first.stop(SIGKILL) == -SIGKILL)
    let segment = folder.url.appendingPathComponent("spool/00000000000000000001.spool")
    var bytes = try Data(contentsOf: segment)
    let isOld = bytes[7] == UInt8(ascii: "1")
    let header = isOld ? 16 : 96
    let size = (bytes.count - header) / 1000
    bytes[header + 5 * size + (isOld ? 0 : 8) + 2] ^= 0x40
    try bytes.write(to: segment)
    let collector = try FakeCollector(port: port)
    let second = try ForwarderProcess.ready(toCollector(port), in: folder)
    try second.wait("the others are delivered") {
      try second.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0
    }
    #expect(try metric("spool_damaged", of: second) == 1)
    #expect(second.stop() == 1)
    #expect(collector.names == names(1, 1..<6) + names(1, 7..<1001))
  }

  /// Also when nothing follows it.
  @Test func damageIsNotReportedAgainByTheNextRun() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let first = try ForwarderProcess.ready(toCollector(port) + ["--stop-timeout", "100ms"], in: folder)
    try send(Frames.spans(trace: 1, 1..<21), to: first)
    try first.waitForSpans(20)
    #expect(first.stop(SIGKILL) == -SIGKILL)
    let segment = folder.url.appendingPathComponent("spool/00000000000000000001.spool")
    var bytes = try Data(contentsOf: segment)
    bytes[bytes.count - 5] ^= 0x40
    try bytes.write(to: segment)
    let collector = try FakeCollector(port: port)
    for run in 0..<2 {
      let next = try ForwarderProcess.ready(toCollector(port), in: folder)
      try next.wait("the others are delivered") { collector.names.count >= 19 }
      try next.wait("it is at the end") { try next.metric("exporter_lag_bytes{exporter=\"otlp\"}") == 0 }
      #expect(try metric("spool_damaged", of: next) == (run == 0 ? 1 : 0))
      #expect(next.stop() == (run == 0 ? 1 : 0))
    }
    #expect(collector.names == names(1, 1..<20))
  }

  @Test(arguments: ["nonsense", "1 99999999\n", "99 16\n"])
  func impossiblePositionSkipsNothingAndIsReported(_ text: String) throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let first = try ForwarderProcess.ready(toCollector(port) + ["--stop-timeout", "100ms"], in: folder)
    try send(Frames.spans(trace: 1, 1..<31), to: first)
    try first.waitForSpans(30)
    #expect(first.stop() == 1)
    try Data(text.utf8).write(to: folder.url.appendingPathComponent("spool/otlp.position"))
    let collector = try FakeCollector(port: port)
    let second = try ForwarderProcess.ready(toCollector(port), in: folder)
    try second.wait("they are delivered", seconds: 10) { collector.names.count >= 30 }
    #expect(second.log.contains("otlp.position") && second.log.contains("it starts at the oldest span"))
    #expect(second.stop() == 0)
    #expect(collector.names == names(1, 1..<31))
  }

  @Test(arguments: [true, false]) func aSpoolOfALaterVersionIsRefusedAndLeftAlone(hasRecords: Bool) throws {
    let folder = try TemporaryFolder()
    let spool = try folder.make("spool")
    let file = spool.appendingPathComponent("00000000000000000001.spool")
    let bytes =
      hasRecords
      ? try Data(contentsOf: URL(fileURLWithPath: Repository.path("formats/spool/invalid/later.spool")))
      : Data("KATASPL3".utf8) + Data(count: 8)
    try bytes.write(to: file)
    let forwarder = try ForwarderProcess(toCollector(try Rotel.freePort()), in: folder)
    #expect(forwarder.exitStatus == 1)
    #expect(forwarder.log.contains("\(file.path): the file has version 3"), "\(forwarder.log)")
    #expect(try Data(contentsOf: file) == bytes)
  }

  // MARK: Full

  /// One segment fills the disk, so that not even a position could be written beside it.
  @Test(.enabled(if: TestDisk.isPossible, TestDisk.reason), arguments: [false, true])
  func fullDiskIsFreedOfDeliveredSegment(_ restarts: Bool)
    throws
  {
    let folder = try TemporaryFolder()
    let disk = try TestDisk.mount(in: folder, "200k")
    defer { TestDisk.unmount(disk) }
    let port = try Rotel.freePort()
    let arguments =
      toCollector(port) + [
        "--spool-dir", disk.appendingPathComponent("spool").path, "--stop-timeout", "100ms",
      ]
    var forwarder = try ForwarderProcess.ready(arguments, in: folder)
    let data = Frames.spans(trace: 1, 1..<601, padding: 1800)
    let sender = SendingAgent(forwarder.agentSocket, data)
    try forwarder.wait("it is full") { forwarder.log.contains("No space left on device") }
    var first: Set<SpanName> = []
    if restarts {
      // What was in the spool is delivered after the restart; the agent, whose connection is gone, sends again.
      #expect(forwarder.stop(SIGKILL) == -SIGKILL)
      try sender.wait()
      let before = try FakeCollector(port: port)
      forwarder = try ForwarderProcess.ready(arguments, in: folder)
      try forwarder.wait("what was in the spool is delivered") { before.names.count > 30 }
      let again = SendingAgent(forwarder.agentSocket, data)
      try forwarder.wait("all is delivered", seconds: 30) { Set(before.names).count >= 600 }
      try again.wait()
      before.stop()
      first = Set(before.names)
    } else {
      let collector = try FakeCollector(port: port)
      try forwarder.wait("all is delivered", seconds: 30) { collector.names.count >= 600 }
      try sender.wait()
      first = Set(collector.names)
    }
    try forwarder.wait("its position is written") {
      try forwarder.metric("exporter_lag_spans{exporter=\"otlp\"}") == 0
    }
    #expect(forwarder.stop() == 0)
    #expect(first == Set(names(1, 1..<601)))
    #expect(!forwarder.log.contains("an exporter's position cannot be written"))
  }

  /// Without an exporter all that is in the spool may go, but there is nothing in it.
  @Test(.enabled(if: TestDisk.isPossible, TestDisk.reason))
  func diskFilledByOtherFilesIsWaitedFor() throws {
    let folder = try TemporaryFolder()
    let disk = try TestDisk.mount(in: folder, "400k")
    defer { TestDisk.unmount(disk) }
    let forwarder = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0", "--spool-dir", disk.appendingPathComponent("spool").path], in: folder)
    let other = disk.appendingPathComponent("other").path
    _ = try Tool.run("/bin/dd", ["if=/dev/zero", "of=\(other)", "bs=4096", "count=1000"])
    let sender = SendingAgent(forwarder.agentSocket, Frames.spans(trace: 1, 1..<51, padding: 1000))
    try forwarder.wait("it says so") { forwarder.log.contains("No space left on device") }
    #expect(try forwarder.get("/readyz").status == 503)
    let before = forwarder.processorTime
    Deadline.pause(seconds: 0.3)
    #expect(forwarder.processorTime - before < 20)
    try FileManager.default.removeItem(atPath: other)
    try forwarder.waitForSpans(50)
    try sender.wait()
    #expect(forwarder.stop() == 0)
  }

  /// A crash in the middle of a write on a full disk: what follows the last whole record keeps nothing from being
  /// freed.
  @Test(.enabled(if: TestDisk.isPossible, TestDisk.reason))
  func aTornTailOnAFullDiskIsFreedAsWell() throws {
    let folder = try TemporaryFolder()
    let disk = try TestDisk.mount(in: folder, "200k")
    defer { TestDisk.unmount(disk) }
    let port = try Rotel.freePort()
    let arguments =
      toCollector(port) + [
        "--spool-dir", disk.appendingPathComponent("spool").path, "--stop-timeout", "100ms",
      ]
    let first = try ForwarderProcess.ready(arguments, in: folder)
    try send(Frames.spans(trace: 1, 1..<31, padding: 1800), to: first)
    try first.waitForSpans(30)
    #expect(first.stop(SIGKILL) == -SIGKILL)
    let segment = disk.appendingPathComponent("spool/00000000000000000001.spool")
    let whole = try Data(contentsOf: segment)
    try whole.dropLast(700).write(to: segment)
    let other = disk.appendingPathComponent("other").path
    _ = try Tool.run("/bin/dd", ["if=/dev/zero", "of=\(other)", "bs=4096", "count=1000"])
    let collector = try FakeCollector(port: port)
    let second = try ForwarderProcess.ready(arguments, in: folder)
    try second.wait("what was in the spool is delivered") { collector.names.count >= 29 }
    let sender = SendingAgent(second.agentSocket, Frames.spans(trace: 2, 1..<101, padding: 1800))
    try second.wait("all is delivered", seconds: 30) { collector.names.count >= 129 }
    try sender.wait()
    #expect(second.stop() == 1)
    #expect(collector.names == names(1, 1..<30) + names(2, 1..<101))
  }

  // MARK: Read-only

  @Test(.enabled(if: TestDisk.isPossible, TestDisk.reason))
  func temporarilyReadOnlyDiskIsWaitedFor() throws {
    let folder = try TemporaryFolder()
    let disk = try TestDisk.mount(in: folder, "1m")
    defer { TestDisk.unmount(disk) }
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready(
      toCollector(collector.port) + ["--spool-dir", disk.appendingPathComponent("spool").path], in: folder)
    #expect(try Tool.run("/usr/bin/mount", ["-o", "remount,ro", disk.path]).status == 0)
    let sender = SendingAgent(forwarder.agentSocket, Frames.spans(trace: 1, 1..<51))
    try forwarder.wait("it says so") { forwarder.log.contains("Read-only file system") }
    #expect(try forwarder.get("/readyz").status == 503)
    #expect(try Tool.run("/usr/bin/mount", ["-o", "remount,rw", disk.path]).status == 0)
    try forwarder.wait("all is delivered", seconds: 30) { collector.names.count >= 50 }
    try sender.wait()
    #expect(try forwarder.get("/readyz").status == 200)
    #expect(forwarder.stop() == 0)
    #expect(collector.names == names(1, 1..<51))
  }

  // MARK: Removed

  @Test func temporarilyMissingDirectoryLosesNothing() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let forwarder = try ForwarderProcess.ready(toCollector(port), in: folder)
    try send(Frames.spans(trace: 1, 1..<21), to: forwarder)
    try forwarder.waitForSpans(20)
    let spool = folder.url.appendingPathComponent("spool")
    let elsewhere = folder.url.appendingPathComponent("elsewhere")
    try FileManager.default.moveItem(at: spool, to: elsewhere)
    try forwarder.wait("it is noticed") { forwarder.log.contains("find the spool's directory") }
    #expect(try forwarder.get("/readyz").text.contains("the spool cannot be written"))
    let sender = SendingAgent(forwarder.agentSocket, Frames.spans(trace: 2, 1..<21))
    // What was in it is delivered meanwhile.
    let collector = try FakeCollector(port: port)
    try forwarder.wait("the first are delivered") { collector.names.count >= 20 }
    try forwarder.wait("the agent is held back") { forwarder.log.contains("reading from agents is paused") }
    #expect(!FileManager.default.fileExists(atPath: spool.path))
    try FileManager.default.moveItem(at: elsewhere, to: spool)
    try forwarder.wait("the others are delivered") { collector.names.count >= 40 }
    try sender.wait()
    #expect(forwarder.stop() == 0)
    #expect(collector.names == names(1, 1..<21) + names(2, 1..<21))
  }

  @Test func deletedDirectoryIsRecreatedAndItsSpansAreCounted() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let forwarder = try ForwarderProcess.ready(toCollector(port), in: folder)
    try send(Frames.spans(trace: 1, 1..<21), to: forwarder)
    try forwarder.waitForSpans(20)
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("spool"))
    try forwarder.wait("it is noticed") { forwarder.log.contains("was removed or replaced") }
    try send(Frames.spans(trace: 2, 1..<21), to: forwarder)
    try forwarder.waitForSpans(40)
    let collector = try FakeCollector(port: port)
    try forwarder.wait("the new ones are delivered") {
      Set(collector.names).isSuperset(of: names(2, 1..<21))
    }
    let lost = try metric("spool_damaged", of: forwarder)
    // A batch may have been in the exporter's hands.
    #expect(lost == 20)
    #expect(forwarder.stop() == 1)
    #expect(
      FileManager.default.fileExists(atPath: folder.url.appendingPathComponent("spool/otlp.position").path))
  }

  /// What is under the mount point is not taken for the spool.
  @Test(.enabled(if: TestDisk.isPossible, TestDisk.reason))
  func anUnmountedDiskIsWaitedFor() throws {
    let folder = try TemporaryFolder()
    let disk = try TestDisk.mount(in: folder, "1m")
    defer { TestDisk.unmount(disk) }
    let inside = disk.appendingPathComponent("inside")
    try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
    let spool = try folder.make("spool")
    func bind() throws -> Bool {
      try Tool.run("/usr/bin/mount", ["--bind", inside.path, spool.path]).status == 0
    }
    try #require(try bind())
    defer { TestDisk.unmount(spool) }
    let port = try Rotel.freePort()
    let forwarder = try ForwarderProcess.ready(toCollector(port), in: folder)
    try send(Frames.spans(trace: 1, 1..<21), to: forwarder)
    try forwarder.waitForSpans(20)
    TestDisk.unmount(spool)
    try forwarder.wait("it is noticed") {
      try forwarder.get("/readyz").text.contains("the spool cannot be written")
    }
    let sender = SendingAgent(forwarder.agentSocket, Frames.spans(trace: 2, 1..<21))
    try forwarder.wait("the agent is held back") { forwarder.log.contains("reading from agents is paused") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: spool.path).isEmpty)
    #expect(try bind())
    let collector = try FakeCollector(port: port)
    try forwarder.wait("all are delivered") { collector.names.count >= 40 }
    try sender.wait()
    #expect(forwarder.stop() == 0)
    #expect(collector.names == names(1, 1..<21) + names(2, 1..<21))
  }

  @Test func otherSpoolInTheSamePlaceIsNotTreatedAsDelivered() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let other = try ForwarderProcess.ready(toCollector(port) + ["--stop-timeout", "100ms"], in: folder)
    try send(Frames.spans(trace: 3, 1..<6), to: other)
    try other.waitForSpans(5)
    #expect(other.stop() == 1)
    let spool = folder.url.appendingPathComponent("spool")
    let kept = folder.url.appendingPathComponent("kept")
    try FileManager.default.moveItem(at: spool, to: kept)
    let collector = try FakeCollector(port: port)
    let forwarder = try ForwarderProcess.ready(toCollector(port), in: folder)
    try send(Frames.spans(trace: 1, 1..<6), to: forwarder)
    try forwarder.wait("they are delivered") { collector.names.count == 5 }
    try FileManager.default.removeItem(at: spool)
    try FileManager.default.moveItem(at: kept, to: spool)
    try forwarder.wait("it is said") { forwarder.log.contains("restart the forwarder") }
    _ = forwarder.stop()
    let next = try ForwarderProcess.ready(toCollector(port), in: folder)
    try next.wait("the other spool's are delivered") { Set(collector.names).isSuperset(of: names(3, 1..<6)) }
    #expect(next.stop() == 0)
  }

  // MARK: Stop

  @Test func whatCannotBeWrittenAtTheEndIsCountedAsLost() throws {
    let folder = try TemporaryFolder()
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready(
      toCollector(collector.port) + ["--stop-timeout", "1s"], in: folder)
    try FileManager.default.moveItem(
      at: folder.url.appendingPathComponent("spool"), to: folder.url.appendingPathComponent("elsewhere"))
    try send(Frames.spans(trace: 1, 1..<31), to: forwarder)
    try forwarder.wait("it says so") { forwarder.log.contains("reading from agents is paused") }
    #expect(forwarder.stop() == 1)
    let line = forwarder.log.split(separator: "\n").first { $0.contains("could not be written before") }
    #expect(line?.contains("level=error") == true && line?.contains("count=30") == true, "\(forwarder.log)")
    #expect(collector.names.isEmpty)
  }
}

/// An agent that sends on a thread of its own, for it may be held back.
private final class SendingAgent: @unchecked Sendable {
  private let lock = NSLock()
  private var isSent = false

  init(_ path: String, _ data: Data) {
    Thread.detachNewThread { [self] in
      if let socket = try? LocalSocket(path: path), (try? socket.write(data)) != nil { socket.endWriting() }
      lock.withLock { isSent = true }
    }
  }

  /// Waits until it has sent everything or its connection is gone.
  func wait() throws { try Deadline.wait("the agent is done") { lock.withLock { isSent } } }
}
