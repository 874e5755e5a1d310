import Bytes
import Delivery
import Glibc
import Logging
import Synchronization
import System

/// One run of a configuration: a reading thread and a delivery. A reload ends it and starts another one.
final class ShipSession: Sendable {
  private let configuration: ShipConfiguration
  private let log: StructuredLog
  private let engine: DeliveryEngine
  let counters: ShipCounters
  /// Raised when the session must end.
  private let stop: Wakeup
  private let isStopping = Atomic<Bool>(false)
  private let lastTurn = Atomic<Int>(MonotonicClock.milliseconds)
  private let state = Lock(State())

  private struct State {
    var thread: WorkerThread?
    var failure: String?
    var hasEnded = false
  }

  /// - Parameters:
  ///   - counters: continue from session to session.
  ///   - report: receives the events of the delivery, on its thread.
  init(
    _ configuration: ShipConfiguration, _ destination: ShipDestination, _ counters: ShipCounters,
    _ log: StructuredLog
  ) throws(SystemCallError) {
    self.configuration = configuration
    self.counters = counters
    self.log = log
    stop = try Wakeup()
    let directory = configuration.stateDirectory
    engine = try DeliveryEngine(
      DeliveryEngine.Parts(
        settings: destination.settings,
        positions: PositionFile(path: Self.positionsPath(directory)),
        setAside: SetAsideFile(path: "\(directory)/set-aside"),
        report: { ShipReport.write($0, to: log) },
        receivers: { (deadline) throws(DeliveryFailure) in try destination.makeReceivers(deadline) }))
  }

  static func positionsPath(_ directory: String) -> String { "\(directory)/positions" }

  /// Where the positions of a session are saved.
  private struct PositionFile: PositionStore {
    let path: String
    func save(_ position: String) throws(SystemCallError) { try ShipPositions.write(position, to: path) }
  }

  /// Starts to read after `positions`.
  func start(_ destination: ShipDestination, from positions: ShipPositions) throws(SystemCallError) {
    try engine.start()
    let started = WorkerThread.start { [self] in read(destination, positions) }
    guard let started else { throw SystemCallError("pthread_create", "ship", code: EAGAIN) }
    state.withLock { $0.thread = started }
  }

  private func read(_ destination: ShipDestination, _ positions: ShipPositions) {
    defer { state.withLock { $0.hasEnded = true } }
    let sink = EngineSink(self, destination)
    do throws(JournalError) {
      let reader = try ShipReader(
        configuration, positions, sink, counters, wakeup: stop, log: log,
        isStopping: { [self] in isStopping.load(ordering: .relaxed) })
      reader.run()
    } catch {
      state.withLock { $0.failure = error.description }
    }
  }

  /// Why the session cannot continue; nil while it can.
  var failure: String? {
    state.withLock { state in
      if let failure = state.failure { return failure }
      if let failure = engine.failure { return failure.reason }
      return state.hasEnded && !isStopping.load(ordering: .relaxed) ? "the reading thread has ended" : nil
    }
  }

  var statistics: DeliveryStatistics { engine.statistics }

  /// Milliseconds since the reading thread was last active: few, unless it hangs or waits for the receiver.
  var silence: Int { MonotonicClock.milliseconds - lastTurn.load(ordering: .relaxed) }

  /// Stops reading, and delivers what was read within a time.
  ///
  /// - Returns: whether everything is acknowledged.
  func finish(within milliseconds: Int) -> Bool {
    isStopping.store(true, ordering: .relaxed)
    stop.raise()
    state.withLock { $0.thread.take() }?.join()
    return engine.finish(by: MonotonicClock.milliseconds + milliseconds)
  }

  /// Gives the records to the engine, on the reading thread.
  private final class EngineSink: ShipSink {
    private let session: ShipSession
    private let encoder: any ShipEncoder
    private var buffer = OutputBuffer(capacity: 64 << 10)
    private var isMarked = true

    init(_ session: ShipSession, _ destination: ShipDestination) {
      self.session = session
      encoder = destination.makeEncoder()
    }

    func take(_ record: inout Record, _ place: RecordPlace) -> Bool {
      buffer.removeAll()
      encoder.encode(&record, place, to: &buffer)
      touch()
      guard session.engine.append(framed: buffer.bytes, orStop: session.stop.file.number) else {
        return false
      }
      isMarked = false
      return true
    }

    func tick(positions: () -> String) {
      touch()
      if isMarked { return }
      session.engine.mark(positions())
      isMarked = true
    }

    private func touch() { session.lastTurn.store(MonotonicClock.milliseconds, ordering: .relaxed) }
  }
}

/// Writes a record as an entry of a chunk.
protocol ShipEncoder: AnyObject {
  /// Appends the entry, preceded by its length, as ``DeliveryEngine/append(framed:orStop:)`` expects it.
  func encode(_ record: inout Record, _ place: RecordPlace, to out: inout OutputBuffer)
}
