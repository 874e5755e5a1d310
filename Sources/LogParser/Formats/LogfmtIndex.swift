import CLanes

/// Where the bytes stand that give a line of logfmt its structure: found in one pass over the line, 64 bytes at a time,
/// without a branch for each of them.
///
/// The places are those of every `=` and space outside quotes, every `"` that opens quotes anywhere but behind a `=`, and
/// every byte but quotes that plain text may not have (see ``ByteSlice/isPlain``). So a line of `key=value` and
/// `key="value"` has two places a pair, that of the `=` and that of the space behind the value or the line's end, and
/// whatever is written differently has others. Which quotes are escaped is not looked at: a backslash is a place itself.
struct LogfmtIndex: ~Copyable {
  /// A line with more places than these is indexed as far as they go.
  private static let capacity = 256
  private static let room = capacity + 72

  private let places: UnsafeMutablePointer<UInt32>
  /// The number of places, that of the line's end included.
  private(set) var count = 0
  /// The length of the line, its line end left out.
  private(set) var length = 0

  init() {
    places = .allocate(capacity: Self.room)
    places.initialize(repeating: 0, count: Self.room)
  }

  deinit { places.deallocate() }

  /// The offset in the line of a place; that of the line's end for those behind the last.
  ///
  /// - Parameter index: from 0 to ``count``: whoever asks has compared it, or one before it, with the count.
  @inline(__always)
  subscript(index: Int) -> Int {
    assert(index >= 0 && index < Self.room, "place out of range")
    return Int(places[index])
  }

  /// Finds the places in the line at the start of `text`, which ends at a line feed if `endsAtLineFeed`, else with the text.
  @inline(__always)
  mutating func find(in text: ByteSlice, endsAtLineFeed: Bool) {
    // Reads no more than the slice and its padding, and stores no more than there is room for.
    let found = kata_index_line(text.base, text.count, places, Self.capacity, endsAtLineFeed)
    length = found.length
    guard found.is_whole else { return stopEarly(text, found.count, endsAtLineFeed: endsAtLineFeed) }
    let end = UInt32(truncatingIfNeeded: length)
    places[found.count] = end
    places[found.count + 1] = end
    count = found.count + 1
  }

  /// The rest of the line is not indexed: no place is handed out that might take its end for the line's.
  private mutating func stopEarly(_ text: ByteSlice, _ found: Int, endsAtLineFeed: Bool) {
    count = max(0, found - 1)
    length = endsAtLineFeed ? text.firstIndex(of: 0x0a, from: length) ?? text.count : text.count
  }
}
