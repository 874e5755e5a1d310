/// The chunks that were taken and are not yet acknowledged, in order, and what is known about each.
///
/// A chunk that is not acknowledged is one of three things: unlucky, poison, or sent to a receiver that acknowledges
/// nothing. So a chunk that failed several times is halved, down to single records, and a record is given up only after
/// failures between which other chunks were acknowledged. While nothing is acknowledged at all (``isHeld``), nothing more
/// is halved, and the chunks are tried in turn.
struct DeliveryWindow {
  private struct Slot {
    var chunk: Chunk
    var isDone = false
    /// When it was sent on the connection that is open.
    var sentAt: Int?
    var wasSent = false
    var failures = 0
    /// Failures before which another chunk had been acknowledged since the failure before.
    var provenFailures = 0
    /// Acknowledgements of all chunks at its last failure.
    var acknowledgements = 0

    func isProven(_ now: Int) -> Bool { failures > 0 && now > acknowledgements }
  }

  /// What became of a chunk that failed.
  enum Verdict: Equatable {
    case kept, halved
    /// The receiver takes other records, and not this one.
    case givenUp
  }

  /// Failures without an answer after which a chunk is halved, and proven ones after which a record is given up.
  static let failureLimit = 3

  private var slots: [Slot] = []
  private var acknowledgements = 0
  /// Whether a single record failed and nothing was acknowledged since.
  private(set) var isHeld = false
  /// The place up to which everything is acknowledged or set aside.
  private(set) var position: String?
  /// Chunks that are not done, and their records and bytes.
  private(set) var waiting = (chunks: 0, records: 0, bytes: 0)

  var isEmpty: Bool { waiting.chunks == 0 }
  var inFlight: Int { slots.count { $0.sentAt != nil } }

  /// Takes the next chunk; one without entries is a position alone.
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
  /// In order, except that a chunk that has failed too often comes after the others until one of them is acknowledged.
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

  /// Notes that a chunk is on its way; whether it was before.
  mutating func markSent(_ id: String, at now: Int) -> Bool {
    guard let index = index(of: id) else { return false }
    defer { slots[index].wasSent = true }
    slots[index].sentAt = now
    return slots[index].wasSent
  }

  /// The chunk that waits longest for its acknowledgement.
  var oldestInFlight: (id: String, sentAt: Int)? {
    var oldest: (id: String, sentAt: Int)?
    for slot in slots {
      if let time = slot.sentAt, oldest.map({ time < $0.sentAt }) ?? true { oldest = (slot.chunk.id, time) }
    }
    return oldest
  }

  /// The connection is gone, and nothing is on its way any more.
  mutating func clearInFlight() {
    for index in slots.indices { slots[index].sentAt = nil }
  }

  /// Takes an acknowledgement; nil when no such chunk was sent.
  mutating func acknowledge(_ id: String) -> Chunk? {
    guard let index = index(of: id), slots[index].wasSent else { return nil }
    acknowledgements += 1
    isHeld = false
    let chunk = slots[index].chunk
    finish(index)
    return chunk
  }

  /// A chunk that was given up is in a safe place.
  mutating func release(_ id: String) {
    if let index = index(of: id) { finish(index) }
  }

  private mutating func finish(_ index: Int) {
    count(slots[index].chunk, -1)
    // The bytes are of no use any more; the position is.
    slots[index] = Slot(
      chunk: Chunk(id: "", bytes: [], ends: [], position: slots[index].chunk.position), isDone: true)
    // However many are done behind one that is not, they are one slot.
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
  /// - Parameter isRefused: whether the receiver refused it by an answer.
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

  /// The chunk of an id.
  func chunk(_ id: String) -> Chunk? { index(of: id).map { slots[$0].chunk } }
}
