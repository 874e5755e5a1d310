import Bytes
import System

/// The state of a delivery and its steps, without a thread: sends chunks in order, matches acknowledgements, and
/// decides what a failure means. It belongs to one thread.
final class DeliveryLoop {
  /// A receiver, and when to try it again.
  private struct Endpoint {
    let receiver: any Receiver
    var backoff: Backoff
    var nextTry = 0
    var hasAcknowledged = false
  }

  /// What a loop depends on.
  struct Context {
    var settings = DeliverySettings()
    var clock: any DeliveryClock = SystemClock()
    /// A number from 0 to 1.
    var random: () -> Double = { Double.random(in: 0...1) }
    var makeID: () -> String = ChunkID.random
    /// Ends a wait when there is something new to do.
    var wakeup: Wakeup?
    var deadline = StopDeadline()
    var positions: (any PositionStore)?
    var setAside: (any SetAsideStore)?
    var report: (DeliveryEvent) -> Void = { _ in }
  }

  /// Ids of finished chunks, for which another acknowledgement may still arrive.
  private static let rememberedIDs = 64

  private let context: Context
  private var endpoints: [Endpoint]
  private var connected: Int?
  private var lastUsed: Int?
  private var window = DeliveryWindow()
  private var acknowledgedIDs: [String] = []
  private var savedPosition: String?
  private var nextSave = 0
  private(set) var statistics = DeliveryStatistics()
  /// Why the delivery cannot go on.
  private(set) var end: DeliveryFailure?

  init(_ receivers: [any Receiver], _ context: Context) {
    self.context = context
    endpoints = receivers.map { Endpoint(receiver: $0, backoff: context.settings.backoff) }
  }

  private var now: Int { context.clock.milliseconds }
  private var settings: DeliverySettings { context.settings }

  /// Whether everything that was added is acknowledged or set aside.
  var isEmpty: Bool { window.isEmpty }
  var waiting: (chunks: Int, bytes: Int) { (window.waiting.chunks, window.waiting.bytes) }

  func add(_ chunk: Chunk) {
    window.add(chunk)
    noteWaiting()
    if chunk.count == 1, chunk.size > settings.chunk.maximumSize {
      giveUp(chunk, by: "", "it is larger than \(settings.chunk.maximumSize) bytes")
    }
  }

  /// Takes the next step, which ends by `limit`: connects, sends a chunk, or waits.
  func step(until limit: Int) {
    savePosition(isLast: false)
    let limit = min(limit, saveTime ?? limit)
    if window.isEmpty { return context.clock.wait(for: context.wakeup, until: limit) }
    guard let index = connect(until: limit) else { return }
    if let chunk = window.next(depth: endpoints[index].receiver.depth) { return send(chunk, to: index) }
    collect(from: index, until: limit)
  }

  /// Saves the position a last time and closes the connection.
  func finish() {
    savePosition(isLast: true)
    disconnect()
  }

  private func bounded(_ time: Int) -> Int { min(time, context.deadline.milliseconds ?? .max) }

  // MARK: Connections

  /// The connected receiver: the first that can be reached, in order of preference.
  private func connect(until limit: Int) -> Int? {
    let start = now
    for index in endpoints.indices where endpoints[index].nextTry <= start {
      if let connected, index >= connected || window.inFlight > 0 { break }
      do throws(DeliveryFailure) {
        try endpoints[index].receiver.connect(until: bounded(now + settings.connectTimeout))
        disconnect()
        noteConnection(index)
        return index
      } catch {
        endpoints[index].receiver.disconnect()
        note(error, at: index)
        if end != nil { return nil }
      }
    }
    if let connected { return connected }
    let next = endpoints.map(\.nextTry).min() ?? limit
    context.clock.wait(for: context.wakeup, until: bounded(min(limit, next)))
    return nil
  }

  private func noteConnection(_ index: Int) {
    connected = index
    statistics.connections += 1
    statistics.receiver = endpoints[index].receiver.name
    if let lastUsed, lastUsed != index {
      context.report(.switched(receiver: endpoints[index].receiver.name))
    }
    lastUsed = index
  }

  private func disconnect() {
    guard let index = connected else { return }
    endpoints[index].receiver.disconnect()
    connected = nil
    statistics.receiver = nil
    window.clearInFlight()
  }

  // MARK: Sending

  private func send(_ chunk: Chunk, to index: Int) {
    statistics.sentChunks += 1
    statistics.sentRecords += UInt64(chunk.count)
    statistics.sentBytes += UInt64(chunk.size)
    if window.markSent(chunk.id, at: now) { statistics.resentChunks += 1 }
    do throws(DeliveryFailure) {
      try endpoints[index].receiver.send(chunk, until: bounded(now + settings.acknowledgementTimeout))
      // The time spent on sending does not count against the receiver.
      _ = window.markSent(chunk.id, at: now)
    } catch {
      fail(error, at: index)
    }
  }

  /// Takes the acknowledgements that have arrived, and notices when one is overdue.
  private func collect(from index: Int, until limit: Int) {
    guard let oldest = window.oldestInFlight else { return }
    let due = oldest.sentAt + settings.acknowledgementTimeout
    let receiver = endpoints[index].receiver
    do throws(DeliveryFailure) {
      let answers = try receiver.acknowledgements(
        until: bounded(min(due, limit)), orRaised: context.wakeup)
      if answers.isEmpty, now >= due {
        throw receiver.silence(
          of: settings.acknowledgementTimeout, hasAcknowledged: endpoints[index].hasAcknowledged)
      }
      for answer in answers { try take(answer, from: index) }
    } catch {
      fail(error, at: index)
    }
  }

  private func take(_ answer: Acknowledgement, from index: Int) throws(DeliveryFailure) {
    let receiver = endpoints[index].receiver.name
    guard let chunk = window.acknowledge(answer.id) else {
      if acknowledgedIDs.contains(answer.id) { return }
      throw DeliveryFailure(
        .unanswered, "\(receiver) acknowledged something that was not sent",
        remedy: "check that no proxy in between mixes connections")
    }
    acknowledgedIDs.append(answer.id)
    if acknowledgedIDs.count > Self.rememberedIDs { acknowledgedIDs.removeFirst() }
    endpoints[index].hasAcknowledged = true
    endpoints[index].backoff.reset()
    let rejected = max(0, min(answer.rejected, chunk.count))
    statistics.acknowledgedChunks += 1
    statistics.acknowledgedRecords += UInt64(chunk.count - rejected)
    statistics.rejectedRecords += UInt64(rejected)
    if rejected > 0 || answer.message != nil {
      context.report(.rejected(receiver: receiver, records: rejected, message: answer.message ?? ""))
    }
    if statistics.failing != nil {
      statistics.failing = nil
      context.report(.recovered(receiver: receiver))
    }
    noteWaiting()
  }

  private func noteWaiting() {
    statistics.waitingRecords = window.waiting.records
    statistics.waitingBytes = window.waiting.bytes
  }

  // MARK: Failures

  /// The connection failed, or a chunk did.
  private func fail(_ failure: DeliveryFailure, at index: Int) {
    let blamed = window.oldestInFlight?.id
    disconnect()
    let isRefused = failure.kind == .refused || failure.kind == .tooLarge
    guard let blamed, isRefused || failure.kind == .unanswered else { return note(failure, at: index) }
    switch window.blame(blamed, isRefused: isRefused, makeID: context.makeID) {
    case .kept: note(failure, at: index, pauses: !isRefused || window.isHeld)
    case .halved:
      statistics.halvedChunks += 1
      note(failure, at: index, pauses: !isRefused)
    case .givenUp:
      note(failure, at: index, pauses: !isRefused)
      let reason = failure.answer.map { "\(failure.reason): \($0)" } ?? failure.reason
      if let chunk = window.chunk(blamed) { giveUp(chunk, by: endpoints[index].receiver.name, reason) }
    }
  }

  /// Notes why a receiver cannot be used, and when to try it again.
  private func note(_ failure: DeliveryFailure, at index: Int, pauses: Bool = true) {
    statistics.failures += 1
    if failure.kind == .hopeless {
      end = failure
      return
    }
    if pauses {
      let pause = endpoints[index].backoff.next(context.random())
      let slowest = failure.kind == .misconfigured ? settings.backoff.longest : pause
      endpoints[index].nextTry = now + (failure.retryAfter ?? slowest)
    }
    // While another receiver takes everything, or halves are sent at once, nothing waits.
    if connected != nil || !pauses { return }
    let before = statistics.failing
    let since = before?.since ?? now
    statistics.failing = DeliveryStatistics.Failing(since: since, failure: failure)
    if let patience = settings.patience {
      guard now < since + patience else {
        end = failure
        return
      }
      endpoints[index].nextTry = min(endpoints[index].nextTry, since + patience)
    }
    guard before.map({ !$0.failure.reason.isSame(as: failure.reason) }) ?? true else { return }
    context.report(.failing(receiver: endpoints[index].receiver.name, failure))
  }

  /// Sets a record aside. While that fails, the record stays and the position does not advance.
  private func giveUp(_ chunk: Chunk, by receiver: String, _ reason: String) {
    guard let store = context.setAside else {
      end = DeliveryFailure(
        .hopeless, "a record of \(chunk.size) bytes cannot be delivered: \(reason)",
        remedy: "give a file for such records with --set-aside")
      return
    }
    do throws(SystemCallError) {
      try store.add(chunk, receiver: receiver, reason: reason)
    } catch {
      context.report(.cannotSetAside(error.description))
      return
    }
    window.release(chunk.id)
    statistics.setAsideRecords += 1
    noteWaiting()
    context.report(.setAside(receiver: receiver, size: chunk.size, reason: reason))
  }

  // MARK: The position

  /// When to save the position, if it has changed since it was last saved.
  private var saveTime: Int? {
    guard context.positions != nil, let place = window.position, place != savedPosition else { return nil }
    return nextSave
  }

  private func savePosition(isLast: Bool) {
    guard let time = saveTime, isLast || now >= time, let place = window.position else { return }
    nextSave = now + settings.positionInterval
    do throws(SystemCallError) {
      try context.positions?.save(place)
      savedPosition = place
    } catch {
      context.report(.cannotSavePosition(error.description))
    }
  }
}

/// Ids of chunks.
enum ChunkID {
  /// Base64 of 16 random bytes, as in Fluentd's own client, without the line end.
  static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    return make(&generator)
  }

  static func make(_ generator: inout some RandomNumberGenerator) -> String {
    var out = ByteWriter(capacity: 64)
    let bytes = (0..<2).flatMap { _ in generator.next().littleBytes }
    bytes.withUnsafeBytes { Base64.put($0, to: &out) }
    return out.string
  }
}

extension String {
  /// Whether two reasons differ only in numbers, such as the duration of an attempt.
  package func isSame(as other: String) -> Bool {
    func rest(_ text: String) -> [UInt8] {
      text.utf8.filter { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    return rest(self) == rest(other)
  }
}
