import Bytes

/// What processes said last: most records say the same of their owner as one a moment before.
struct OwnerMemo {
  private static let slots = 256

  private struct Slot {
    let sandbox: KnownSandbox
    let pid: Int
    let input: Int
    let container: [UInt8]
    let host: [UInt8]
  }

  private var kept: [Slot?] = Array(repeating: nil, count: Self.slots)

  /// The sandbox, if the same was said of it lately.
  @inline(__always)
  func find(_ facts: OwnerFacts, pid: Int, host: ByteSlice, input: Int) -> KnownSandbox? {
    guard let slot = kept[Self.index(facts, pid)], slot.pid == pid, slot.input == input,
      facts.sandbox.isSame(as: slot.sandbox.id), facts.container.isSame(as: slot.container),
      host.isSame(as: slot.host)
    else { return nil }
    return slot.sandbox
  }

  mutating func keep(_ sandbox: KnownSandbox, _ facts: OwnerFacts, pid: Int, host: ByteSlice, input: Int) {
    kept[Self.index(facts, pid)] = Slot(
      sandbox: sandbox, pid: pid, input: input, container: facts.container.array, host: host.array)
  }

  @inline(__always)
  private static func index(_ facts: OwnerFacts, _ pid: Int) -> Int {
    var word = facts.sandbox.leadingWord ^ UInt64(truncatingIfNeeded: pid)
    if !facts.container.isEmpty { word = word &* 31 ^ facts.container.leadingWord }
    return Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) &>> 56)
  }
}
