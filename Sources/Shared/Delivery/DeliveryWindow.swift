/// The chunks that are not yet acknowledged, in order, and what is known about each.
///
/// If a chunk is not acknowledged, there are three possible causes: chance, a record that the receiver cannot accept,
/// or a receiver that acknowledges nothing. So a chunk that failed several times is halved, down to single records, and
/// a record is given up only if other chunks were acknowledged between its failures. While nothing at all is
/// acknowledged (``isHeld``), nothing more is halved, and the chunks are tried in turn.
struct DeliveryWindow {
  private struct Slot {
    var chunk: Chunk
    var isDone = false
    /// When it was sent on the current connection.
    var sentAt: Int?
    var wasSent = false
    var failures = 0
    /// Failures since whose predecessor another chunk had been acknowledged.
    var provenFailures = 0
    /// The total number of acknowledgements at its last failure.
    var acknowledgements = 0

    func isProven(_ now: Int) -> Bool { failures > 0 && now > acknowledgements }
  }

  /// What became of a chunk that failed.
  enum Verdict: Equatable {
    case kept, halved
    /// The receiver accepts other records, but not this one.
    case givenUp
  }

  /// The number of unanswered failures after which a chunk is halved, and of proven failures after which a record is
  /// given up.
  static let failureLimit = 3

  private var slots: [Slot] = []
  private var acknowledgements = 0
  /// Whether a single record failed and nothing has been acknowledged since.
  private(set) var isHeld = false
  /// The position up to which everything is acknowledged or set aside.
  private(set) var position: String?
  /// The number of unfinished chunks, and of their records and bytes.
  private(set) var waiting = (chunks: 0, records: 0, bytes: 0)

  var isEmpty: Bool { waiting.chunks == 0 }
  var inFlight: Int { slots.count { $0.sentAt != nil } }

  /// Takes the next chunk; one without entries is only a position.
  mutating func add(_ chunk: Chunk) {
    slots.append(Slot(chunk: chunk, isDone: chunk.count == 0))
    count(chunk, 1)
    advance()
  }

  private mutating func count(_ chunk: Chunk, _ sign: Int) {
    if chunk.count == 0 { return }
    waiting.chunks += sign
    waiting.records += sign * chunk.count
    waiting.bytes += sign * chunk.size
  }

  /// The chunk to send next; nil when none may be sent before something is acknowledged.
  ///
  /// Chunks are sent in order, except that one that failed too often comes after the others until one of those is
  /// acknowledged.
  func next(depth: Int) -> Chunk? {
    let inFlight = inFlight
    guard inFlight < (isHeld ? 1 : depth) else { return nil }
    var suspect: Slot?
    for slot in slots where !slot.isDone && slot.sentAt == nil {
      if slot.failures < Self.failureLimit || slot.isProven(acknowledgements) { return slot.chunk }
      if suspect.map({ slot.failures < $0.failures }) ?? true { suspect = slot }
    }
    return inFlight == 0 ? suspect?.chunk : nil
  }

  private func index(of id: String) -> Int? { slots.firstIndex { !$0.isDone && $0.chunk.id == id } }

  /// Notes that a chunk is sent; returns whether it had been sent before.
  mutating func markSent(_ id: String, at now: Int) -> Bool {
    guard let index = index(of: id) else { return false }
    defer { slots[index].wasSent = true }
    slots[index].sentAt = now
    return slots[index].wasSent
  }

  /// The chunk that has waited longest for its acknowledgement.
  var oldestInFlight: (id: String, sentAt: Int)? {
    var oldest: (id: String, sentAt: Int)?
    for slot in slots {
      if let time = slot.sentAt, oldest.map({ time < $0.sentAt }) ?? true { oldest = (slot.chunk.id, time) }
    }
    return oldest
  }

  /// Notes that the connection is gone, and with it all chunks in flight.
  mutating func clearInFlight() {
    for index in slots.indices { slots[index].sentAt = nil }
  }

  /// Takes an acknowledgement; nil if no such chunk was sent.
  mutating func acknowledge(_ id: String) -> Chunk? {
    guard let index = index(of: id), slots[index].wasSent else { return nil }
    acknowledgements += 1
    isHeld = false
    let chunk = slots[index].chunk
    finish(index)
    return chunk
  }

  /// Notes that a chunk that was given up is safely stored.
  mutating func release(_ id: String) {
    if let index = index(of: id) { finish(index) }
  }

  private mutating func finish(_ index: Int) {
    count(slots[index].chunk, -1)
    // The bytes are no longer needed, but the position is.
    slots[index] = Slot(
      chunk: Chunk(id: "", bytes: [], ends: [], position: slots[index].chunk.position), isDone: true)
    // Any number of finished chunks after an unfinished one share one slot.
    if index + 1 < slots.count, slots[index + 1].isDone { merge(index) }
    if index > 0, slots[index - 1].isDone { merge(index - 1) }
    advance()
  }

  private mutating func merge(_ index: Int) {
    if slots[index + 1].chunk.position == nil { slots.remove(at: index + 1) } else { slots.remove(at: index) }
  }

  private mutating func advance() {
    while let first = slots.first, first.isDone {
      if let place = first.chunk.position { position = place }
      slots.removeFirst()
    }
  }

  /// Notes that a chunk failed.
  ///
  /// - Parameter isRefused: whether the receiver's answer refused it.
  mutating func blame(_ id: String, isRefused: Bool, makeID: () -> String) -> Verdict {
    guard let index = index(of: id) else { return .kept }
    let isProven = slots[index].isProven(acknowledgements)
    slots[index].failures += 1
    if isProven { slots[index].provenFailures += 1 }
    slots[index].acknowledgements = acknowledgements
    let limit = isRefused ? 1 : Self.failureLimit
    guard slots[index].failures >= limit else { return .kept }
    guard let (first, second) = slots[index].chunk.halved(makeID) else {
      if slots[index].provenFailures >= limit { return .givenUp }
      if !isProven { isHeld = true }
      return .kept
    }
    if isHeld { return .kept }
    count(slots[index].chunk, -1)
    slots.replaceSubrange(
      index...index,
      with: [first, second].map { half in
        Slot(chunk: half, failures: limit - 1, acknowledgements: acknowledgements)
      })
    for half in [first, second] { count(half, 1) }
    return .halved
  }

  /// The chunk with this id.
  func chunk(_ id: String) -> Chunk? { index(of: id).map { slots[$0].chunk } }
}
