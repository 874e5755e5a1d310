import Bytes
import System

/// Delivers records to a receiver, at least once each, on its own thread.
///
/// Any thread may append entries and mark positions. Entries become chunks; a window of chunks bounds the memory, and
/// ``append(framed:orStop:)`` waits while it is full. The saved position is the one up to which every chunk is
/// acknowledged, so that everything after it is read and sent again if the process dies.
package final class DeliveryEngine: Sendable {
  /// The parts that an engine needs.
  package struct Parts: Sendable {
    package var settings: DeliverySettings
    /// Makes the receivers, in order of preference, on the engine's thread. They stop at the deadline.
    package var receivers: @Sendable (StopDeadline) throws(DeliveryFailure) -> [any Receiver]
    package var positions: (any PositionStore)?
    package var setAside: (any SetAsideStore)?
    /// Called on the engine's thread.
    package var report: @Sendable (DeliveryEvent) -> Void

    package init(
      settings: DeliverySettings = DeliverySettings(), positions: (any PositionStore)? = nil,
      setAside: (any SetAsideStore)? = nil, report: @escaping @Sendable (DeliveryEvent) -> Void = { _ in },
      receivers: @escaping @Sendable (StopDeadline) throws(DeliveryFailure) -> [any Receiver]
    ) {
      self.settings = settings
      self.positions = positions
      self.setAside = setAside
      self.report = report
      self.receivers = receivers
    }
  }

  private struct State {
    var builder: ChunkBuilder
    /// Closed chunks that the thread has not taken.
    var queue: [Chunk] = []
    var queuedBytes = 0
    /// Chunks and bytes that the thread has taken and that are not acknowledged.
    var waiting = (chunks: 0, bytes: 0)
    var statistics = DeliveryStatistics()
    var isFinishing = false
    var isOver = false
    var failure: DeliveryFailure?
  }

  private let parts: Parts
  private let state: Lock<State>
  private let deadline = StopDeadline()
  /// Raised to wake the thread, and those that wait for room or for the end.
  private let work: Wakeup
  private let room: Wakeup
  private let thread = Lock<WorkerThread?>(nil)

  package init(_ parts: Parts) throws(SystemCallError) {
    self.parts = parts
    state = Lock(State(builder: ChunkBuilder(parts.settings.chunk)))
    work = try Wakeup()
    room = try Wakeup()
  }

  package func start() throws(SystemCallError) {
    let started = StopSignals.blocked { WorkerThread.start { [self] in run() } }
    guard let started else { throw SystemCallError("pthread_create", "delivery") }
    thread.withLock { $0 = started }
  }

  /// A snapshot of the counts.
  package var statistics: DeliveryStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.waitingRecords += state.builder.count + state.queue.reduce(0) { $0 + $1.count }
      statistics.waitingBytes += state.builder.size + state.queuedBytes
      return statistics
    }
  }
  /// Why the delivery ended early.
  package var failure: DeliveryFailure? { state.withLock { $0.failure } }

  // MARK: Appending

  private enum Progress {
    case done, full, over
  }

  /// Takes entries, each preceded by its length as four bytes, little-endian. Waits while the window is full.
  ///
  /// - Parameter stop: a descriptor that ends the wait when it becomes readable.
  /// - Returns: false if not all entries were taken, because `stop` became readable or the delivery is over. No saved
  ///   position is after an entry that was not taken.
  package func append(framed entries: UnsafeRawBufferPointer, orStop stop: Int32? = nil) -> Bool {
    var offset = 0
    while true {
      switch take(entries, from: &offset) {
      case .done: return true
      case .over: return false
      case .full: if room.wait(milliseconds: 250, orReadable: stop) { return false }
      }
    }
  }

  private func take(_ entries: UnsafeRawBufferPointer, from offset: inout Int) -> Progress {
    var place = offset
    defer { offset = place }
    let now = MonotonicClock.milliseconds
    return state.withLock { state in
      // The thread may be waiting without a deadline: it must learn when the open chunk is due.
      if state.builder.isEmpty { work.raise() }
      while let length = entries.little(UInt32.self, at: place) {
        if state.isOver { return .over }
        let entry = entries.part(from: place + 4, count: Int(length))
        if !state.builder.hasRoom(for: entry.count), !close(&state) { return .full }
        state.builder.append(entry, at: now)
        place += 4 + entry.count
        if state.builder.isFull { _ = close(&state) }
      }
      return state.isOver ? .over : .done
    }
  }

  /// Notes the input position after everything that was appended.
  package func mark(_ position: String) {
    state.withLock { state in
      if state.builder.isEmpty { work.raise() }
      state.builder.mark(position, at: MonotonicClock.milliseconds)
    }
  }

  /// Closes the open chunk, if the window has room for it.
  private func close(_ state: inout State) -> Bool {
    let count = state.queue.count + state.waiting.chunks
    let bytes = state.queuedBytes + state.waiting.bytes
    guard count == 0 || count < parts.settings.windowChunks,
      bytes == 0 || bytes + state.builder.size <= parts.settings.windowBytes
    else { return false }
    guard let chunk = state.builder.take(id: ChunkID.random) else { return true }
    state.queue.append(chunk)
    state.queuedBytes += chunk.size
    work.raise()
    return true
  }

  // MARK: The end

  /// Delivers what was appended, if a time of the monotonic clock is given until then. Then saves the position and ends
  /// the thread.
  ///
  /// - Parameter stop: a descriptor that ends the wait when it becomes readable.
  /// - Returns: whether everything is acknowledged or set aside.
  package func finish(by time: Int? = nil, orStop stop: Int32? = nil) -> Bool {
    if let time { deadline.set(time) }
    state.withLock { $0.isFinishing = true }
    work.raise()
    while !state.withLock({ $0.isOver }) {
      if room.wait(milliseconds: 250, orReadable: stop) {
        deadline.set(MonotonicClock.milliseconds)
        work.raise()
      }
    }
    thread.withLock { $0.take() }?.join()
    return state.withLock { state in
      state.failure == nil && state.queue.isEmpty && state.builder.isEmpty && state.waiting.chunks == 0
    }
  }

  // MARK: The thread

  private func run() {
    let receivers: [any Receiver]
    do throws(DeliveryFailure) { receivers = try parts.receivers(deadline) } catch {
      state.withLock { $0.failure = error }
      return end()
    }
    let loop = DeliveryLoop(
      receivers,
      DeliveryLoop.Context(
        settings: parts.settings, wakeup: work, deadline: deadline, positions: parts.positions,
        setAside: parts.setAside, report: parts.report))
    while true {
      // Before the open chunk is closed: an acknowledgement may just have made room for it.
      publish(loop)
      let (chunks, due, isLast) = takeQueue()
      for chunk in chunks { loop.add(chunk) }
      publish(loop)
      if loop.end != nil || deadline.isOver || isLast && loop.isEmpty { break }
      loop.step(until: min(due ?? .max, deadline.milliseconds ?? .max))
    }
    loop.finish()
    publish(loop)
    end()
  }

  private func end() {
    state.withLock { $0.isOver = true }
    room.raise()
  }

  /// The closed chunks, the time at which the open one is due, and whether these chunks are the last.
  private func takeQueue() -> (chunks: [Chunk], due: Int?, isLast: Bool) {
    state.withLock { state in
      var due = state.builder.dueAt
      if let time = due, state.isFinishing || MonotonicClock.milliseconds >= time {
        // If there is no room for it, the next acknowledgement makes room.
        _ = close(&state)
        due = nil
      }
      let chunks = state.queue
      state.queue = []
      state.queuedBytes = 0
      for chunk in chunks where chunk.count > 0 {
        state.waiting.chunks += 1
        state.waiting.bytes += chunk.size
      }
      return (chunks, due, state.isFinishing && state.builder.isEmpty)
    }
  }

  private func publish(_ loop: DeliveryLoop) {
    let hasRoom = state.withLock { state in
      state.statistics = loop.statistics
      state.failure = loop.end
      defer { state.waiting = loop.waiting }
      return loop.waiting.chunks < state.waiting.chunks || loop.waiting.bytes < state.waiting.bytes
    }
    if hasRoom { room.raise() }
  }
}
