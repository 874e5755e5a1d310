import Bytes
import System
import TestSupport
import Testing

@testable import Delivery

/// The engine on its thread.
@Suite(.ownThreads) struct DeliveryEngineTests {
  /// What a receiver and its test share.
  final class Gate: Sendable {
    struct State {
      var isOpen: Bool
      var records: [String] = []
      var saved: [String] = []
    }
    let state: Lock<State>
    init(isOpen: Bool) { state = Lock(State(isOpen: isOpen)) }
    var isOpen: Bool {
      get { state.withLock { $0.isOpen } }
      set { state.withLock { $0.isOpen = newValue } }
    }
    var records: [String] { state.withLock { $0.records } }
    var saved: [String] { state.withLock { $0.saved } }
  }

  struct Positions: PositionStore {
    let gate: Gate
    func save(_ position: String) throws(SystemCallError) {
      gate.state.withLock { $0.saved.append(position) }
    }
  }

  /// Acknowledges while its gate is open.
  final class GateReceiver: Receiver {
    let name = "gate"
    let depth = 8
    private let gate: Gate
    private var sent: [String] = []

    init(_ gate: Gate) { self.gate = gate }

    func send(_ chunk: Chunk, until deadline: Int) throws(DeliveryFailure) {
      sent.append(chunk.id)
      let records = FakeReceiver.records(chunk)
      gate.state.withLock { $0.records += records }
    }

    func acknowledgements(until deadline: Int, orRaised wakeup: Wakeup?) throws(DeliveryFailure)
      -> [Acknowledgement]
    {
      while !gate.isOpen {
        if MonotonicClock.milliseconds >= deadline { return [] }
        // What was raised is for the caller as well.
        if let wakeup, wakeup.wait(milliseconds: 2, orReadable: wakeup.file.number) { return [] }
      }
      defer { sent = [] }
      return sent.map { Acknowledgement($0) }
    }

    func disconnect() { sent = [] }
  }

  private func engine(
    _ gate: Gate, _ change: (inout DeliverySettings) -> Void = { _ in }
  ) throws -> DeliveryEngine {
    var settings = DeliverySettings()
    settings.chunk.age = 20
    change(&settings)
    let engine = try DeliveryEngine(
      DeliveryEngine.Parts(settings: settings, positions: Positions(gate: gate)) {
        (_) throws(DeliveryFailure) in [GateReceiver(gate)]
      })
    try engine.start()
    return engine
  }

  private func framed(_ records: [String]) -> [UInt8] {
    records.flatMap { record in
      let bytes = Array(record.utf8)
      return withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) } + bytes
    }
  }

  private func append(_ records: [String], to engine: DeliveryEngine, orStop stop: Int32? = nil) -> Bool {
    framed(records).withUnsafeBytes { engine.append(framed: $0, orStop: stop) }
  }

  @Test func openChunkIsSentWhenItIsOldAndNothingFollows() throws {
    let gate = Gate(isOpen: true)
    let engine = try engine(gate)
    #expect(append(["a"], to: engine))
    try Deadline.wait("the record is acknowledged") { engine.statistics.acknowledgedRecords == 1 }
    // The thread waits without an end now.
    engine.mark("p1")
    try Deadline.wait("the position is saved") { gate.saved == ["p1"] }
    #expect(append(["b"], to: engine))
    try Deadline.wait("the next record is acknowledged") { engine.statistics.acknowledgedRecords == 2 }
    #expect(engine.finish())
    #expect(gate.records == ["a", "b"])
  }

  @Test func appendWaitsWhileTheWindowIsFull() throws {
    let gate = Gate(isOpen: false)
    let engine = try engine(gate) {
      $0.chunk.size = 1000
      $0.windowBytes = 3000
    }
    let stop = try Wakeup()
    let record = String(repeating: "x", count: 100)
    let result = Lock<Bool?>(nil)
    let many = [String](repeating: record, count: 1000)
    let bytes = framed(many)
    let thread = try #require(
      WorkerThread.start {
        let isDone = bytes.withUnsafeBytes { engine.append(framed: $0, orStop: stop.file.number) }
        result.withLock { $0 = isDone }
      })
    try Deadline.wait("the window is full") { engine.statistics.waitingBytes >= 3000 }
    stop.raise()
    // The descriptor's number must not become another file's meanwhile.
    withExtendedLifetime(stop) { thread.join() }
    #expect(result.withLock { $0 } == false)
    #expect(engine.statistics.waitingBytes <= 4000, "the window, and the open chunk")
    let taken = engine.statistics.waitingRecords
    gate.isOpen = true
    #expect(engine.finish())
    #expect(gate.records.count == taken)
  }

  @Test func appendGoesOnWhenThereIsRoom() throws {
    let gate = Gate(isOpen: true)
    let engine = try engine(gate) {
      $0.chunk.count = 10
      $0.windowChunks = 2
    }
    let records = (0..<5000).map(String.init)
    for start in stride(from: 0, to: 5000, by: 50) {
      #expect(append(Array(records[start..<start + 50]), to: engine))
    }
    #expect(engine.finish())
    #expect(gate.records == records)
  }

  @Test func endIsLimitedAndWhatIsNotAcknowledgedSavesNoPosition() throws {
    let gate = Gate(isOpen: false)
    let engine = try engine(gate)
    #expect(append(["a", "b"], to: engine))
    engine.mark("p")
    #expect(!engine.finish(by: MonotonicClock.milliseconds + 50))
    #expect(gate.saved.isEmpty)
    #expect(engine.statistics.waitingRecords == 2)
    #expect(!append(["c"], to: engine), "it is over")
  }

  @Test func secondRequestToStopEndsTheWait() throws {
    let gate = Gate(isOpen: false)
    let engine = try engine(gate)
    #expect(append(["a"], to: engine))
    let stop = try Wakeup()
    stop.raise()
    let isComplete = withExtendedLifetime(stop) {
      engine.finish(by: MonotonicClock.milliseconds + 600_000, orStop: stop.file.number)
    }
    #expect(!isComplete)
  }

  @Test func receiverThatCannotBeMadeEndsTheDelivery() throws {
    let engine = try DeliveryEngine(
      DeliveryEngine.Parts { (_) throws(DeliveryFailure) in
        throw DeliveryFailure(.hopeless, "libz.so.1 cannot be loaded")
      })
    try engine.start()
    try Deadline.wait("the failure is known") { engine.failure != nil }
    #expect(!append(["a"], to: engine))
    #expect(!engine.finish())
  }
}
