import Bytes

/// Merges several inputs that are each sorted by time: the next record of each is read ahead, and the earliest of
/// these is handed out. Records of equal time come in the order of their inputs.
///
/// Only that one record of each input is kept, so memory use does not depend on their sizes. Followed inputs take part
/// while they have a record; the others do not wait for one without.
struct OrderedMerge: ~Copyable {
  /// One input, and the record that was read ahead.
  final class Member {
    // Accessed for each record, in one place at a time.
    @exclusivity(unchecked) var input: OpenInput
    @exclusivity(unchecked) var record = Record()
    /// The time of the record that was handed out last.
    @exclusivity(unchecked) var handedOut: Timestamp?

    init(_ input: consuming OpenInput) { self.input = input }
  }

  private struct Next: MergeOrdered {
    var seconds: Int64
    var nanoseconds: UInt32
    /// The index of the member, which is also that of its input.
    var slot: UInt32

    @inline(__always)
    func precedes(_ other: Next) -> Bool {
      if seconds != other.seconds { return seconds < other.seconds }
      if nanoseconds != other.nanoseconds { return nanoseconds < other.nanoseconds }
      return slot < other.slot
    }
  }

  /// By the index of their input; nil for one that could not be opened, or has ended.
  private var members: [Member?]
  private var heap = MergeHeap<Next>()
  /// Members that have to be read from, whose records are not in the heap.
  private var unread: [Int] = []
  /// Whether the record of the heap's first member was handed out.
  private var isFirstTaken = false

  init(count: Int) { members = Array(repeating: nil, count: count) }

  /// The member of an input, while it exists.
  subscript(index: Int) -> Member? { members[index] }

  /// What the lines of the open inputs became so far.
  var lineCounts: [LineCounts] { members.compactMap { $0?.input.lineCounts } }

  /// Adds an input, or replaces the earlier one with the same index.
  mutating func add(_ input: consuming OpenInput) {
    let slot = input.index
    members[slot] = Member(input)
    if !unread.contains(slot) { unread.append(slot) }
  }

  /// The member to read from next; nil if a record can be handed out, or none is left.
  var nextToRead: Member? {
    @inline(__always) get {
      if isFirstTaken { return heap.first.flatMap { members[Int($0.slot)] } }
      return unread.last.flatMap { members[$0] }
    }
  }

  /// Notes that the member returned by ``nextToRead`` has read its next record.
  @inline(__always)
  mutating func hasRead(_ member: Member) {
    let time = member.record.time
    let next = Next(
      seconds: time.seconds, nanoseconds: time.nanoseconds,
      slot: UInt32(truncatingIfNeeded: member.input.index)
    )
    if isFirstTaken {
      isFirstTaken = false
      heap.replaceFirst(with: next)
    } else {
      unread.removeLast()
      heap.push(next)
    }
  }

  /// Notes that the member returned by ``nextToRead`` has no record at present; see ``resume(_:)``.
  mutating func suspend() {
    if isFirstTaken {
      isFirstTaken = false
      _ = heap.popFirst()
    } else {
      _ = unread.popLast()
    }
  }

  /// Notes that the member returned by ``nextToRead`` has ended.
  mutating func end(_ member: Member) {
    suspend()
    members[member.input.index] = nil
  }

  /// Notes that an input without a record has to be read from again.
  mutating func resume(_ index: Int) {
    guard members[index] != nil, !unread.contains(index),
      !heap.unordered.contains(where: { Int($0.slot) == index })
    else { return }
    unread.append(index)
  }

  /// Hands out the earliest record: returns its member, whose ``Member/record`` must be taken before any other call;
  /// nil if there is none.
  @inline(__always)
  mutating func takeFirst() -> Member? {
    guard let first = heap.first else { return nil }
    isFirstTaken = true
    return members[Int(first.slot)]
  }
}
