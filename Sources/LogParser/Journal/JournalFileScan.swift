import Bytes

/// The result of one pass over every object of a journal file, without using its indexes.
struct JournalFileScan {
  /// One selected entry.
  struct Entry {
    var offset: Int
    var number: UInt64
    var time: UInt64
  }

  /// The selected entries, in the order in which they were written.
  private(set) var entries: [Entry] = []
  /// All entries that were found.
  private(set) var found = 0
  /// Entries with some damaged data.
  private(set) var incomplete = 0
  /// Places without a valid object.
  private(set) var breaks = 0
  private let expected: Int

  /// Entries that were not found, or lack some of their data.
  var missing: Int { max(0, expected - found) + incomplete }
  /// Entries that were found, or the header's count if that is higher.
  var total: Int { max(expected, found) }
  var isWhole: Bool { missing == 0 && breaks == 0 }

  /// Scans a file for the entries that `conditions` select.
  init(_ file: inout JournalFileBytes, _ conditions: JournalConditions) {
    expected = file.entryCount
    var known = OffsetSet(size: file.size)
    var matches: [(offset: Int, match: Int)] = []
    var offset = file.headerSize
    var previous = offset
    // A file that is being written may have an object after the last one in the header, which is not part of it yet.
    let end = file.tailOffset < file.size ? file.tailOffset : file.size - 1
    while offset <= end {
      guard let object = file.object(at: offset) else {
        breaks += 1
        // The size of the previous object may be wrong.
        guard let next = Self.nextObject(in: &file, behind: previous, notBefore: offset) else { break }
        offset = next
        previous = next
        continue
      }
      switch object.kind {
      case .data:
        if file.isIntact(object) { known.insert(offset) }
        if let match = Self.match(object, &file, conditions) { matches.append((offset, match)) }
      case .entry: take(object, &file, conditions, known, matches)
      default: break
      }
      previous = offset
      offset = object.end
    }
  }

  /// The first offset after `place` with an object that another one follows. The bytes between `place` and `limit` were
  /// skipped because of the size of the object at `place`.
  private static func nextObject(
    in file: inout JournalFileBytes, behind place: Int, notBefore limit: Int
  ) -> Int? {
    var offset = place + JournalFileBytes.Object.alignment
    while offset <= file.size - JournalFileBytes.Object.headSize {
      if offset != limit, let object = file.object(at: offset),
        object.end >= file.size || file.object(at: object.end) != nil || object.offset >= file.tailOffset
      {
        return offset
      }
      offset += JournalFileBytes.Object.alignment
    }
    return nil
  }

  private static func match(
    _ object: JournalFileBytes.Object, _ file: inout JournalFileBytes, _ conditions: JournalConditions
  ) -> Int? {
    let length = object.size - file.dataHead
    guard object.flags == 0, conditions.mayMatch(length: length),
      let payload = file.bytes(at: object.offset + file.dataHead, length)
    else { return nil }
    return conditions.match(payload)
  }

  private mutating func take(
    _ object: JournalFileBytes.Object, _ file: inout JournalFileBytes, _ conditions: JournalConditions,
    _ known: borrowing OffsetSet, _ matches: [(offset: Int, match: Int)]
  ) {
    guard let bytes = file.bytes(at: object.offset, object.size) else { return }
    found += 1
    var held: [Int] = []
    var isComplete = true
    for index in 0..<file.itemCount(of: bytes) {
      let item = file.item(index, of: bytes)
      if !known.contains(item) { isComplete = false }
      for match in matches where match.offset == item { held.append(match.match) }
    }
    if !isComplete { incomplete += 1 }
    guard conditions.accept(held) else { return }
    let number = bytes.little(UInt64.self, at: 16) ?? 0
    let time = bytes.little(UInt64.self, at: 24) ?? 0
    entries.append(Entry(offset: object.offset, number: number, time: time))
  }

  /// The offsets of a file that have data objects: one bit per 8 bytes.
  private struct OffsetSet {
    private var words: [UInt64]

    init(size: Int) { words = Array(repeating: 0, count: size / 512 + 1) }

    mutating func insert(_ offset: Int) { words[offset >> 9] |= 1 << UInt64(offset >> 3 & 63) }

    func contains(_ offset: Int) -> Bool {
      offset & 7 == 0 && words.indices.contains(offset >> 9)
        && words[offset >> 9] >> UInt64(offset >> 3 & 63) & 1 == 1
    }
  }
}
