import Bytes
import Glibc

/// What processes said last, because most records say the same about their owner as a recent one.
///
/// A slot is a few words and the bytes of two ids, in memory shared by all slots, so that a lookup does no reference
/// counting.
struct OwnerMemo: ~Copyable {
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
    /// Records that would have had a pod if they had come later.
    var waiting: UInt64 = 0
  }

  private let kept = UnsafeMutablePointer<Slot>.allocate(capacity: Self.slots)
  /// The bytes of each slot's sandbox, container and host.
  private let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.slots * 3 * Self.width)
  /// Which of two slots is replaced next if both are in use.
  private var turn = 0
  private var sandboxes = [KnownSandbox?](repeating: nil, count: Self.slots)

  init() {
    kept.initialize(repeating: Slot(), count: Self.slots)
    bytes.initialize(repeating: 0, count: Self.slots * 3 * Self.width)
  }

  deinit {
    kept.deallocate()
    bytes.deallocate()
  }

  /// The slot of a statement, if the same was said recently.
  ///
  /// - Parameter isGuest: whether the record's text is a guest's, from which nothing is learned; evaluated only if the
  ///   slot has such a record.
  @inline(__always)
  func find(
    _ sandbox: ByteSlice, _ container: ByteSlice, pid: Int, host: ByteSlice, input: Int,
    isGuest: @autoclosure () -> Bool
  ) -> Int? {
    var index = Self.index(sandbox, container, pid, input)
    if !holds(index, sandbox, container, pid: pid, host: host, input: input) {
      index ^= 1
      if !holds(index, sandbox, container, pid: pid, host: host, input: input) { return nil }
    }
    return !kept[index].isGuest || isGuest() ? index : nil
  }

  @inline(__always)
  private func holds(
    _ index: Int, _ sandbox: ByteSlice, _ container: ByteSlice, pid: Int, host: ByteSlice, input: Int
  ) -> Bool {
    let slot = kept + index
    guard slot.pointee.pid == pid, slot.pointee.input == input, slot.pointee.sandboxCount == sandbox.count,
      slot.pointee.containerCount == container.count, slot.pointee.hostCount == host.count
    else { return false }
    let start = bytes + index * 3 * Self.width
    return memcmp(start, sandbox.base, sandbox.count) == 0
      && (container.isEmpty || memcmp(start + Self.width, container.base, container.count) == 0)
      && (host.isEmpty || memcmp(start + 2 * Self.width, host.base, host.count) == 0)
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
    let (sandboxID, container) = (facts.sandbox, facts.container)
    var index = Self.index(sandboxID, container, pid, input)
    // Two with the same hash get a slot each; of three the oldest is replaced.
    if kept[index].input >= 0, !holds(index, sandboxID, container, pid: pid, host: host, input: input) {
      if kept[index ^ 1].input < 0
        || holds(index ^ 1, sandboxID, container, pid: pid, host: host, input: input)
      {
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
    let start = bytes + index * 3 * Self.width
    for (place, text) in [sandboxID, container, host].enumerated() {
      (start + place * Self.width).update(from: text.base, count: text.count)
    }
  }

  /// Adds the counts of all slots to the sandboxes.
  mutating func flush() { for index in 0..<Self.slots { flush(index) } }

  private mutating func flush(_ index: Int) {
    guard kept[index].waiting > 0, let sandbox = sandboxes[index] else { return }
    sandbox.waiting += kept[index].waiting
    kept[index].waiting = 0
  }

  @inline(__always)
  private static func index(_ sandbox: ByteSlice, _ container: ByteSlice, _ pid: Int, _ input: Int) -> Int {
    // The same is said in each of several inputs, and kept for each.
    var word = sandbox.leadingWord ^ UInt64(truncatingIfNeeded: pid &+ input &<< 40)
    if !container.isEmpty { word = word &* 31 ^ container.leadingWord }
    return Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) &>> 54)
  }
}
