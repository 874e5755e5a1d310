/// The most recent processes about which no record has said anything, so that most records need no lookup in the
/// ``OwnerTable``.
struct UnknownProcesses {
  private struct Slot {
    var pid = 0
    var input = -1
    /// What the table has for the process: a count of its records.
    var entry: KnownSandbox?
  }

  private static let count = 256
  private var slots = [Slot](repeating: Slot(), count: count)

  /// What the table has for a process, if it was kept here and no record has said anything about the process since.
  @inline(__always)
  func find(_ pid: Int, _ input: Int) -> KnownSandbox? {
    let slot = slots[Self.place(pid, input)]
    guard slot.pid == pid, slot.input == input, let entry = slot.entry, !entry.isReplaced else { return nil }
    return entry
  }

  mutating func keep(_ entry: KnownSandbox, _ pid: Int, _ input: Int) {
    slots[Self.place(pid, input)] = Slot(pid: pid, input: input, entry: entry)
  }

  private static func place(_ pid: Int, _ input: Int) -> Int {
    Int(UInt(bitPattern: pid ^ input << 4) % UInt(count))
  }
}
