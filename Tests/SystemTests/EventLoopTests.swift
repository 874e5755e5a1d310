import Glibc
import System
import Testing

struct EventLoopTests {
  /// Notes what the loop tells it, and stops the loop when it has seen enough.
  private final class Probe: EventHandler {
    let loop: EventLoop
    var events: [EventLoop.Events] = []
    var ticks = 0
    var body: (Probe) -> Void

    init(_ loop: EventLoop, _ body: @escaping (Probe) -> Void) {
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

  @Test func readableDescriptorIsReported() throws {
    let loop = try EventLoop()
    let pipe = try PipeEnds("pipe")
    let probe = Probe(loop) { $0.loop.stop() }
    try loop.add(pipe.readEnd.number, .read, probe)
    try pipe.writeEnd.writeAll([1], subject: "pipe")
    loop.run()
    #expect(probe.events.first == .read)
  }

  @Test func hangUpIsReported() throws {
    let loop = try EventLoop()
    let end = try PipeEnds("pipe").takeReadEnd()
    let probe = Probe(loop) { $0.loop.stop() }
    try loop.add(end.number, .read, probe)
    loop.run()
    #expect(probe.events.first?.isDisjoint(with: .gone) == false)
  }

  @Test func remainingDataIsReportedAgain() throws {
    let loop = try EventLoop()
    let pipe = try PipeEnds("pipe")
    let probe = Probe(loop) { if $0.events.count == 3 { $0.loop.stop() } }
    try loop.add(pipe.readEnd.number, .read, probe)
    try pipe.writeEnd.writeAll([1], subject: "pipe")
    loop.run()
    #expect(probe.events.count == 3)
  }

  @Test func suspendedDescriptorGetsTicksAlone() throws {
    let loop = try EventLoop()
    let pipe = try PipeEnds("pipe")
    let probe = Probe(loop) { if $0.ticks == 2 { $0.loop.stop() } }
    try loop.add(pipe.readEnd.number, .read, probe)
    try pipe.writeEnd.writeAll([1], subject: "pipe")
    loop.suspend(pipe.readEnd.number)
    loop.run()
    #expect(probe.events.isEmpty)
  }

  @Test func resumedDescriptorIsReportedAgain() throws {
    let loop = try EventLoop()
    let pipe = try PipeEnds("pipe")
    let probe = Probe(loop) { $0.loop.stop() }
    try loop.add(pipe.readEnd.number, .read, probe)
    try pipe.writeEnd.writeAll([1], subject: "pipe")
    loop.suspend(pipe.readEnd.number)
    #expect(loop.resume(pipe.readEnd.number, .read))
    loop.run()
    #expect(probe.events.first == .read)
  }

  @Test func handlerThatAnotherOneRemovedIsNotCalled() throws {
    let loop = try EventLoop()
    let first = try PipeEnds("first")
    let second = try PipeEnds("second")
    let numbers = [first.readEnd.number, second.readEnd.number]
    // Whichever is called removes the other one.
    var called: [Int32] = []
    let probes = numbers.map { number in
      Probe(loop) { probe in
        called.append(number)
        for other in numbers where other != number { probe.loop.remove(other) }
        probe.loop.stop()
      }
    }
    for (number, probe) in zip(numbers, probes) { try loop.add(number, .read, probe) }
    try first.writeEnd.writeAll([1], subject: "first")
    try second.writeEnd.writeAll([1], subject: "second")
    loop.run()
    #expect(called.count == 1)
  }

  @Test func afterEachTurnTheCallerIsAsked() throws {
    let loop = try EventLoop()
    let pipe = try PipeEnds("pipe")
    let probe = Probe(loop) { _ in }
    try loop.add(pipe.readEnd.number, .read, probe)
    try pipe.writeEnd.writeAll([1], subject: "pipe")
    var turns = 0
    loop.run {
      turns += 1
      if turns == 3 { loop.stop() }
    }
    #expect(turns == 3)
  }

  @Test func regularFileCannotBeWaitedFor() throws {
    let loop = try EventLoop()
    let file = try FileDescriptor.temporary(in: "/tmp")
    let error = #expect(throws: SystemCallError.self) {
      try loop.add(file.number, .read, Probe(loop) { _ in })
    }
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
    #expect(!StreamSocket.hasInput(wakeup.file.number))
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
    #expect(StreamSocket.hasInput(wakeup.file.number))
    wakeup.clear()
    #expect(!StreamSocket.hasInput(wakeup.file.number))
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
