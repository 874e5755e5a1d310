import CLinux
import Glibc
import System
import Testing

struct EventLoopTests {
  /// Notes what the loop tells it, and stops the loop when it has seen enough.
  private final class Probe: EventHandler {
    let file: FileDescriptor
    let loop: EventLoop
    var events: [EventLoop.Events] = []
    var ticks = 0
    var body: (Probe) -> Void

    init(_ file: consuming FileDescriptor, _ loop: EventLoop, _ body: @escaping (Probe) -> Void) {
      self.file = file
      self.loop = loop
      self.body = body
    }

    func ready(_ events: EventLoop.Events) {
      self.events.append(events)
      body(self)
    }

    func tick(_ now: Int) {
      ticks += 1
      body(self)
    }
  }

  /// A pipe whose read end a probe owns.
  private struct ProbedPipe: ~Copyable {
    let probe: Probe
    let writeEnd: FileDescriptor

    init(_ loop: EventLoop, _ body: @escaping (Probe) -> Void) throws {
      let (readEnd, writeEnd) = try Self.ends()
      probe = Probe(FileDescriptor(owning: readEnd), loop, body)
      self.writeEnd = FileDescriptor(owning: writeEnd)
    }

    private static func ends() throws -> (Int32, Int32) {
      var numbers: [Int32] = [-1, -1]
      guard kata_pipe(&numbers) == 0 else { throw SystemCallError("pipe2", "test") }
      return (numbers[0], numbers[1])
    }

    func write() throws { try writeEnd.writeAll([1], subject: "pipe") }

    /// Leaves the probe with an end that nothing is written to and that has hung up.
    consuming func close() -> Probe { probe }
  }

  @Test func readableDescriptorIsTold() throws {
    let loop = try EventLoop()
    let pipe = try ProbedPipe(loop) { $0.loop.stop() }
    try loop.add(pipe.probe, .read)
    try pipe.write()
    loop.run()
    #expect(pipe.probe.events.first == .read)
  }

  @Test func hangUpIsReported() throws {
    let loop = try EventLoop()
    let probe = try ProbedPipe(loop) { $0.loop.stop() }.close()
    try loop.add(probe, .read)
    loop.run()
    #expect(probe.events.first?.isDisjoint(with: .gone) == false)
  }

  @Test func remainingDataIsReportedAgain() throws {
    let loop = try EventLoop()
    let pipe = try ProbedPipe(loop) { if $0.events.count == 3 { $0.loop.stop() } }
    try loop.add(pipe.probe, .read)
    try pipe.write()
    loop.run()
    #expect(pipe.probe.events.count == 3)
  }

  @Test func suspendedDescriptorGetsTicksAlone() throws {
    let loop = try EventLoop()
    let pipe = try ProbedPipe(loop) { if $0.ticks == 2 { $0.loop.stop() } }
    try loop.add(pipe.probe, .read)
    try pipe.write()
    loop.suspend(pipe.probe)
    loop.run()
    #expect(pipe.probe.events.isEmpty)
  }

  @Test func resumedDescriptorIsReportedAgain() throws {
    let loop = try EventLoop()
    let pipe = try ProbedPipe(loop) { $0.loop.stop() }
    try loop.add(pipe.probe, .read)
    try pipe.write()
    loop.suspend(pipe.probe)
    #expect(loop.resume(pipe.probe, .read))
    loop.run()
    #expect(pipe.probe.events.first == .read)
  }

  @Test func handlerThatAnotherOneRemovedIsNotCalled() throws {
    let loop = try EventLoop()
    // Whichever is called removes the other one.
    let first = try ProbedPipe(loop) { _ in }
    let second = try ProbedPipe(loop) { _ in }
    let probes = [first.probe, second.probe]
    for probe in probes {
      probe.body = { called in
        for other in probes where other !== called { called.loop.remove(other) }
        called.loop.stop()
      }
      try loop.add(probe, .read)
    }
    defer { for probe in probes { probe.body = { _ in } } }
    try first.write()
    try second.write()
    loop.run()
    #expect(probes.reduce(0) { $0 + $1.events.count } == 1)
  }

  @Test func eventOfARemovedHandlerIsNotItsSuccessors() throws {
    let loop = try EventLoop()
    let idle = try PipeEnds("idle")
    let idleNumber = idle.readEnd.number
    let first = try ProbedPipe(loop) { _ in }
    let second = try ProbedPipe(loop) { _ in }
    let probes = [first.probe, second.probe]
    // Whichever is called puts an idle file with the same number, and a handler at the same address, in the other's place.
    for probe in probes {
      probe.body = { called in
        for other in probes where other !== called && called.events.count == 1 {
          called.loop.remove(other)
          do {
            try other.file.become(FileDescriptor(borrowing: idleNumber))
            try called.loop.add(other, .read)
          } catch { Issue.record(error) }
        }
        if called.events.count == 3 { called.loop.stop() }
      }
      try loop.add(probe, .read)
    }
    defer { for probe in probes { probe.body = { _ in } } }
    try first.write()
    try second.write()
    withExtendedLifetime(idle) { loop.run() }
    #expect(probes.map(\.events.count).sorted() == [0, 3])
  }

  @Test func removedHandlerHasNoSayOverTheNextOfItsNumber() throws {
    let loop = try EventLoop()
    let old = try ProbedPipe(loop) { _ in }
    try loop.add(old.probe, .read)
    loop.remove(old.probe)
    // The same number, as if the first owner had closed it and the kernel had given it to the next file.
    let next = Probe(FileDescriptor(borrowing: old.probe.file.number), loop) { $0.loop.stop() }
    try loop.add(next, .read)
    loop.suspend(old.probe)
    loop.change(old.probe, .write)
    loop.remove(old.probe)
    #expect(!loop.resume(old.probe, .read))
    try old.write()
    loop.run()
    #expect(next.events == [.read])
    #expect(old.probe.events.isEmpty)
  }

  @Test func oneFileHasOneHandler() throws {
    let loop = try EventLoop()
    let pipe = try ProbedPipe(loop) { $0.loop.stop() }
    try loop.add(pipe.probe, .read)
    let error = #expect(throws: SystemCallError.self) {
      try loop.add(Probe(FileDescriptor(borrowing: pipe.probe.file.number), loop) { _ in }, .read)
    }
    #expect(error?.code == EEXIST)
    try pipe.write()
    loop.run()
    #expect(pipe.probe.events == [.read])
  }

  @Test func fileStaysOpenForAsLongAsTheLoopHasItsHandler() throws {
    let loop = try EventLoop()
    weak var kept: Probe?
    do {
      let probe = try ProbedPipe(loop) { $0.loop.stop() }.close()
      try loop.add(probe, .read)
      kept = probe
    }
    loop.run()
    // Only the loop had it, and a loop that has ended has none.
    #expect(kept == nil)
  }

  @Test func handlerThatAnotherTickRemovedGetsNoTick() throws {
    let loop = try EventLoop()
    let first = try ProbedPipe(loop) { _ in }
    let second = try ProbedPipe(loop) { _ in }
    let probes = [first.probe, second.probe]
    for probe in probes {
      probe.body = { called in
        for other in probes where other !== called { called.loop.remove(other) }
        called.loop.stop()
      }
      try loop.add(probe, .read)
    }
    defer { for probe in probes { probe.body = { _ in } } }
    loop.run()
    #expect(probes.reduce(0) { $0 + $1.ticks } == 1)
  }

  @Test func afterEachTurnTheCallerIsAsked() throws {
    let loop = try EventLoop()
    let pipe = try ProbedPipe(loop) { _ in }
    try loop.add(pipe.probe, .read)
    try pipe.write()
    var turns = 0
    loop.run {
      turns += 1
      if turns == 3 { loop.stop() }
    }
    #expect(turns == 3)
  }

  @Test func regularFileCannotBeWaitedFor() throws {
    let loop = try EventLoop()
    let probe = Probe(try FileDescriptor.temporary(in: "/tmp"), loop) { _ in }
    let error = #expect(throws: SystemCallError.self) { try loop.add(probe, .read) }
    #expect(error?.code == EPERM)
  }
}

struct WakeupTests {
  @Test func raisedWakeupEndsTheWait() throws {
    let wakeup = try Wakeup()
    wakeup.raise()
    wakeup.raise()
    // For ever, if the wakeup were lost.
    wakeup.wait(milliseconds: -1)
    #expect(StreamSocket.hasInput(wakeup.file) == false)
  }

  @Test func anotherThreadEndsTheWait() throws {
    let wakeup = try Wakeup()
    let thread = WorkerThread.start { wakeup.raise() }
    wakeup.wait(milliseconds: -1)
    try #require(thread).join()
  }

  @Test func clearedWakeupIsNotRaised() throws {
    let wakeup = try Wakeup()
    wakeup.raise()
    #expect(StreamSocket.hasInput(wakeup.file) == true)
    wakeup.clear()
    #expect(StreamSocket.hasInput(wakeup.file) == false)
  }
}

struct StopDeadlineTests {
  @Test func deadlineIsOverWhenItsTimeHasCome() {
    let deadline = StopDeadline()
    #expect(!deadline.isSet && !deadline.isOver && deadline.milliseconds == nil)
    deadline.set(MonotonicClock.milliseconds + 3_600_000)
    #expect(deadline.isSet && !deadline.isOver)
    deadline.set(MonotonicClock.milliseconds)
    #expect(deadline.isSet && deadline.isOver)
  }

  @Test func clocksGoForward() {
    let (monotonic, wall) = (MonotonicClock.nanoseconds, WallClock.nanoseconds)
    #expect(MonotonicClock.nanoseconds >= monotonic)
    // The year 2020 has begun.
    #expect(wall > 1_577_836_800_000_000_000)
  }
}
