import Bytes

/// What processes said last: most records say the same of their owner as one a moment before.
///
/// A slot is a few words and the bytes of two ids in arrays that all slots share, so that looking one up counts no
/// references.
struct OwnerMemo {
  private static let slots = 1024
  /// The longest id that is kept.
  private static let width = 80

  private struct Slot {
    var pid = 0
    var input = -1
    var isGuest = false
    var sandboxCount = 0
    var containerCount = 0
    var hostCount = 0
    /// Records that would have had a pod, had they come later.
    var waiting: UInt64 = 0
  }

  private var kept = [Slot](repeating: Slot(), count: Self.slots)
  /// For each slot the bytes of the sandbox, the container and the host.
  private var bytes = [UInt8](repeating: 0, count: Self.slots * 3 * Self.width)
  /// Which of two places is taken next when both are.
  private var turn = 0
  private var sandboxes = [KnownSandbox?](repeating: nil, count: Self.slots)

  /// The slot of what was said, if the same was said lately.
  ///
  /// - Parameter isGuest: whether the record's words are a guest's, from which nothing is learned; asked only where such a
  ///   record is what is kept.
  @inline(__always)
  func find(
    _ facts: OwnerFacts, pid: Int, host: ByteSlice, input: Int, isGuest: @autoclosure () -> Bool
  ) -> Int? {
    var index = Self.index(facts, pid)
    if !holds(index, facts, pid: pid, host: host, input: input) {
      index ^= 1
      if !holds(index, facts, pid: pid, host: host, input: input) { return nil }
    }
    return !kept[index].isGuest || isGuest() ? index : nil
  }

  @inline(__always)
  private func holds(_ index: Int, _ facts: OwnerFacts, pid: Int, host: ByteSlice, input: Int) -> Bool {
    let slot = kept[index]
    guard slot.pid == pid, slot.input == input, slot.sandboxCount == facts.sandbox.count,
      slot.containerCount == facts.container.count, slot.hostCount == host.count
    else { return false }
    let start = index * 3 * Self.width
    return facts.sandbox.isSame(as: bytes, at: start)
      && (facts.container.isEmpty || facts.container.isSame(as: bytes, at: start + Self.width))
      && (host.isEmpty || host.isSame(as: bytes, at: start + 2 * Self.width))
  }

  /// What a slot stands for.
  func sandbox(_ slot: Int) -> KnownSandbox? { sandboxes[slot] }

  /// Counts a record that has no pod yet.
  @inline(__always)
  mutating func noteWaiting(_ slot: Int) { kept[slot].waiting += 1 }

  mutating func keep(
    _ sandbox: KnownSandbox, _ facts: OwnerFacts, pid: Int, host: ByteSlice, input: Int, isGuest: Bool
  ) {
    guard facts.sandbox.count <= Self.width, facts.container.count <= Self.width, host.count <= Self.width
    else {
      return
    }
    var index = Self.index(facts, pid)
    // Two that fall on one place have a place each; of three the oldest goes.
    if kept[index].input >= 0, !holds(index, facts, pid: pid, host: host, input: input) {
      if kept[index ^ 1].input < 0 || holds(index ^ 1, facts, pid: pid, host: host, input: input) {
        index ^= 1
      } else {
        index ^= turn
        turn ^= 1
      }
    }
    flush(index)
    kept[index] = Slot(
      pid: pid, input: input, isGuest: isGuest, sandboxCount: facts.sandbox.count,
      containerCount: facts.container.count, hostCount: host.count)
    sandboxes[index] = sandbox
    let start = index * 3 * Self.width
    for (place, text) in [facts.sandbox, facts.container, host].enumerated() {
      for offset in 0..<text.count { bytes[start + place * Self.width + offset] = text[offset] }
    }
  }

  /// Adds what all slots have counted to the sandboxes.
  mutating func flush() { for index in kept.indices { flush(index) } }

  private mutating func flush(_ index: Int) {
    guard kept[index].waiting > 0, let sandbox = sandboxes[index] else { return }
    sandbox.waiting += kept[index].waiting
    kept[index].waiting = 0
  }

  @inline(__always)
  private static func index(_ facts: OwnerFacts, _ pid: Int) -> Int {
    var word = facts.sandbox.leadingWord ^ UInt64(truncatingIfNeeded: pid)
    if !facts.container.isEmpty { word = word &* 31 ^ facts.container.leadingWord }
    return Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) &>> 54)
  }
}
