import Glibc
import System

/// Runs one exporter on its own thread: reads the spool, exports, waits and retries, and saves its position.
package final class ExporterWorker: Sendable {
  /// The batch size and waiting times of an exporter.
  package struct Pace: Sendable {
    /// Spans and bytes of one batch.
    package var batchSpans = 512
    package var batchBytes = 1 << 20
    /// Milliseconds between attempts: the first, and the most.
    package var firstPause = 250
    package var longestPause = 30_000
    /// Milliseconds for which buffered spans wait for more.
    package var flushInterval = 1000
    package init() {}
  }

  private struct State {
    var reopens = false
    var position: SpoolPosition
    var failure: ExportFailure?
  }

  package let name: String
  private let context: ExporterContext
  private let spool: Spool
  private let limits: Pace
  private let wakeup: Wakeup
  private let state: Lock<State>
  private let make: @Sendable (ExporterContext) throws(ExportFailure) -> any SpanExporter
  private let thread = Lock<WorkerThread?>(nil)

  package init(
    _ context: ExporterContext, spool: Spool, limits: Pace = Pace(),
    make: @escaping @Sendable (ExporterContext) throws(ExportFailure) -> any SpanExporter
  ) throws(SystemCallError) {
    name = context.name
    self.context = context
    self.spool = spool
    self.limits = limits
    self.make = make
    wakeup = try Wakeup()
    state = Lock(State(position: spool.register(context.name)))
    spool.subscribe(wakeup)
  }

  package func start() {
    let started = WorkerThread.start { [self] in run() }
    thread.withLock { $0 = started }
    if started == nil { note(ExportFailure("no thread could be started")) }
  }

  /// Asks it to deliver what is available and to end by `deadline`.
  package func stop(deadline: Int) {
    context.deadline.set(deadline)
    wakeup.raise()
  }

  package func join() { thread.withLock { $0.take() }?.join() }

  package func reopen() {
    state.withLock { $0.reopens = true }
    wakeup.raise()
  }

  package var position: SpoolPosition { state.withLock { $0.position } }
  /// The last failure, while it lasts.
  package var failure: ExportFailure? { state.withLock { $0.failure } }

  // MARK: The thread

  private func run() {
    guard let exporter = makeExporter() else { return }
    var loop = ExporterLoop(worker: self, reader: SpoolReader(spool, at: position), exporter: exporter)
    loop.run()
  }

  private func makeExporter() -> (any SpanExporter)? {
    while true {
      do throws(ExportFailure) { return try make(context) } catch {
        note(error)
        if context.deadline.isSet { return nil }
        wakeup.wait(milliseconds: 5000)
      }
    }
  }

  fileprivate var deadline: StopDeadline { context.deadline }

  fileprivate func takeReopen() -> Bool {
    state.withLock { state in
      defer { state.reopens = false }
      return state.reopens
    }
  }

  fileprivate func note(_ failure: ExportFailure?) {
    let before = state.withLock { state in
      defer { state.failure = failure }
      return state.failure
    }
    if let failure, before.map({ !$0.reason.isSame(as: failure.reason) }) ?? true {
      var fields = [("exporter", name), ("reason", failure.reason)]
      if let remedy = failure.remedy { fields.append(("remedy", remedy)) }
      if let answer = failure.answer, !answer.isEmpty { fields.append(("answer", answer)) }
      context.log.warning("spans wait: an exporter cannot deliver", fields)
    } else if failure == nil, before != nil {
      context.log.info("an exporter delivers again", ["exporter": name])
    }
  }

  fileprivate func acknowledge(_ position: SpoolPosition, _ count: Int) {
    state.withLock { $0.position = position }
    spool.acknowledge(position, by: name)
    context.metrics.add(.exported, name, count)
  }

  /// False if it could not be written and must be tried again.
  fileprivate func writePosition() -> Bool {
    do throws(SystemCallError) {
      try spool.writePosition(position, by: name)
      return true
    } catch {
      context.log.limited(
        .error, by: "position", "an exporter's position cannot be written", ["error": error.description])
      return false
    }
  }

  fileprivate func countRetry() { context.metrics.add(.retried, name) }

  /// The state of the thread alone.
  private struct ExporterLoop: ~Copyable {
    let worker: ExporterWorker
    var reader: SpoolReader
    let exporter: any SpanExporter
    /// When undecided spans are tried again, and milliseconds until the time after that.
    var nextTrial = 0
    var trialPause = 0
    /// Taken by the exporter, not yet acknowledged.
    var held = 0
    var heldPosition: SpoolPosition?
    /// The first flush waits for nothing.
    var lastFlush = 0
    var lastNote = 0
    var isNoted = true

    init(worker: ExporterWorker, reader: consuming SpoolReader, exporter: any SpanExporter) {
      self.worker = worker
      self.reader = reader
      self.exporter = exporter
    }

    mutating func run() {
      var isRunning = true
      while isRunning {
        reopenIfAsked()
        isRunning = step()
        notePosition(force: !isRunning)
      }
      do throws(ExportFailure) { try exporter.finish() } catch { worker.note(error) }
    }

    private mutating func reopenIfAsked() {
      guard worker.takeReopen() else { return }
      do throws(ExportFailure) { try exporter.reopen() } catch {
        worker.note(error)
        if error.repeats { goBack() }
      }
    }

    /// Exports one batch; false when all is done.
    private mutating func step() -> Bool {
      if worker.deadline.isOver { return false }
      // Asked before looking: what came before the stop is then seen, whatever comes while this thread flushes.
      let isStopping = worker.deadline.isSet
      do throws(SystemCallError) {
        if let batch = try reader.next(records: worker.limits.batchSpans, bytes: worker.limits.batchBytes) {
          let isTaken = attempt { (self) throws(ExportFailure) in
            try self.exporter.export(batch)
            self.held += batch.payloads.count
            self.heldPosition = batch.end
          }
          return isTaken && (mustFlush && !exporter.isUndecided ? flush() : true)
        }
      } catch {
        worker.note(ExportFailure(error.description))
        worker.wakeup.wait(milliseconds: 1000)
        return !worker.deadline.isOver
      }
      if exporter.isUndecided, !tryUndecided() { return !worker.deadline.isOver }
      trialPause = 0
      if !mustFlush, held > 0, !isStopping {
        // One flush, and so one sync to disk, serves all that comes within the interval.
        worker.wakeup.wait(
          milliseconds: lastFlush + worker.limits.flushInterval - MonotonicClock.milliseconds)
        return true
      }
      // Skipped damage counts as done as well.
      if reader.position > worker.position { heldPosition = reader.position }
      guard flush() else { return false }
      if isStopping { return false }
      worker.wakeup.wait(milliseconds: isNoted ? (exporter.isBuffered ? 1000 : -1) : 100)
      return true
    }

    /// Tries the exporter's undecided spans once, when their pause is over; false while they stay undecided. Spans that
    /// come meanwhile are taken at once, for they may decide.
    private mutating func tryUndecided() -> Bool {
      let now = MonotonicClock.milliseconds
      if trialPause > 0, now < nextTrial {
        worker.wakeup.wait(milliseconds: min(nextTrial - now, worker.deadline.isSet ? 250 : 1000))
        return false
      }
      do throws(ExportFailure) {
        try exporter.flush(mustDeliver: true)
        return true
      } catch {
        worker.note(error)
        worker.countRetry()
        trialPause = min(max(trialPause * 2, worker.limits.firstPause), worker.limits.longestPause)
        let pause = error.retryAfter ?? Int.random(in: trialPause / 2...trialPause)
        nextTrial = now + (worker.deadline.isSet ? min(pause, 250) : pause)
        notePosition(force: true)
        return false
      }
    }

    private var mustFlush: Bool {
      !exporter.isBuffered || MonotonicClock.milliseconds - lastFlush >= worker.limits.flushInterval
    }

    private mutating func flush() -> Bool {
      let mustDeliver = worker.deadline.isSet || worker.spool.isNearlyFull
      guard
        attempt({ (self) throws(ExportFailure) in try self.exporter.flush(mustDeliver: mustDeliver) })
      else { return false }
      lastFlush = MonotonicClock.milliseconds
      guard exporter.isDelivered, let position = heldPosition else { return true }
      worker.acknowledge(position, held - exporter.takeLeftOut())
      held = 0
      heldPosition = nil
      isNoted = false
      return true
    }

    /// Retries until it works, with growing pauses; false if the forwarder has to stop first.
    private mutating func attempt(_ body: (inout ExporterLoop) throws(ExportFailure) -> Void) -> Bool {
      var pause = worker.limits.firstPause
      while true {
        do throws(ExportFailure) {
          try body(&self)
          if !exporter.isUndecided { worker.note(nil) }
          return true
        } catch {
          worker.note(error)
          worker.countRetry()
          notePosition(force: true)
          // Jitter keeps many forwarders from coming back to a collector at once.
          guard sleep(error.retryAfter ?? Int.random(in: pause / 2...pause)) else { return false }
          if error.repeats {
            goBack()
            return true
          }
          reopenIfAsked()
          pause = min(pause * 2, worker.limits.longestPause)
        }
      }
    }

    /// Reads again what was not acknowledged.
    private mutating func goBack() {
      reader = SpoolReader(worker.spool, at: worker.position)
      held = 0
      heldPosition = nil
    }

    /// Waits, though not beyond the deadline; false when that is over.
    private func sleep(_ milliseconds: Int) -> Bool {
      let end = MonotonicClock.milliseconds + milliseconds
      while true {
        let now = MonotonicClock.milliseconds
        if worker.deadline.isOver { return false }
        if now >= end { return true }
        guard let deadline = worker.deadline.milliseconds else {
          worker.wakeup.wait(milliseconds: min(end - now, 1000))
          continue
        }
        // While stopping, a pause may not eat the time that is left.
        worker.wakeup.wait(milliseconds: min(end - now, deadline - now, 250))
        if milliseconds > 250 { return !worker.deadline.isOver }
      }
    }

    private mutating func notePosition(force: Bool) {
      let now = MonotonicClock.milliseconds
      guard !isNoted, force || now - lastNote >= 100 else { return }
      isNoted = worker.writePosition()
      lastNote = now
    }
  }
}

extension String {
  /// Whether two reasons differ in numbers alone, such as in how long an attempt took.
  fileprivate func isSame(as other: String) -> Bool {
    func rest(_ text: String) -> [UInt8] { text.utf8.filter { !(0x30...0x39).contains($0) } }
    return rest(self) == rest(other)
  }
}
