import Bytes
import Glibc

/// Several inputs that are read side by side and sorted by a ``ReorderWindow``.
///
/// The next record comes from the input whose newest record is the oldest, so no input runs ahead of the others by more
/// than one record. All inputs are open at once: ``isPossible(_:)`` tells whether they can be.
struct InputMerge {
  /// The maximum number of inputs; more are sorted as a whole.
  static let inputLimit = 256
  /// The maximum number of compressed inputs: each has its own process, which may take tens of MiB.
  static let compressedLimit = 32
  /// The total size of the inputs' buffers, not counting the lines in them.
  private static let bufferBytes = 16 << 20
  /// Descriptors that the run needs for other purposes.
  private static let reservedDescriptors = 32

  /// One input, and the time of its newest record so far.
  final class Member: MergeOrdered {
    var input: OpenInput
    var newest: Timestamp?

    init(_ input: consuming OpenInput) { self.input = input }

    func precedes(_ other: Member) -> Bool {
      guard let newest else { return other.newest != nil || input.index < other.input.index }
      guard let theirs = other.newest, newest <= theirs else { return false }
      return newest < theirs || input.index < other.input.index
    }
  }

  /// The first element is the input to read from.
  private var members = MergeHeap<Member>()

  /// Whether all these inputs can be open at once.
  static func isPossible(_ items: [InputPath]) -> Bool {
    if items.count <= 1 { return true }
    var limit = rlimit()
    let hasLimit = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    let descriptors = hasLimit ? Int(clamping: limit.rlim_cur) - reservedDescriptors : inputLimit
    guard items.count <= min(inputLimit, descriptors) else { return false }
    let compressed = items.lazy.filter(InputFile.isCompressed).prefix(compressedLimit + 1).count
    // A compressed input needs a second descriptor.
    return compressed <= compressedLimit && items.count + compressed <= descriptors
  }

  /// The number of bytes per read for each of `count` inputs.
  static func chunkSize(_ count: Int) -> Int {
    let size = bufferBytes / max(1, count) & ~4095
    return min(max(size, 16 << 10), LineReader.defaultChunkSize)
  }

  /// The input to read from; nil if all have ended.
  var first: Member? { members.first }

  /// The time up to which every input has been read; nil until every input has produced a record.
  var horizon: Timestamp? { members.first?.newest }

  /// What the lines of the open inputs became so far.
  var lineCounts: [LineCounts] { members.unordered.map { $0.input.lineCounts } }

  mutating func add(_ input: consuming OpenInput) { members.push(Member(input)) }

  /// Notes that the first input produced a record with this time.
  mutating func note(_ time: Timestamp) {
    guard let first = members.first, first.newest.map({ time > $0 }) ?? true else { return }
    first.newest = time
    members.replaceFirst(with: first)
  }

  /// Removes the first input, which has ended.
  mutating func removeFirst() { _ = members.popFirst() }
}
