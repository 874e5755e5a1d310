import CLanes

/// Where the bytes stand that give a line of logfmt its structure: found in one pass over the line, 64 bytes at a time,
/// without a branch for each of them.
///
/// The places are those of every `=` and space outside quotes, every `"` that opens quotes anywhere but behind a `=`, and
/// every byte but quotes that plain text may not have (see ``ByteSlice/isPlain``). So a line of `key=value` and
/// `key="value"` has two places a pair, that of the `=` and that of the space behind the value or the line's end, and
/// whatever is written differently has others. Which quotes are escaped is not looked at: a backslash is a place itself.
public struct StructuralIndex: ~Copyable {
  /// A line with more places than these is indexed as far as they go.
  @usableFromInline internal static let capacity = 256
  @usableFromInline internal static let room = capacity + 72

  @usableFromInline internal let places: UnsafeMutablePointer<UInt32>
  @usableFromInline internal var found = 0
  /// The number of places, that of the line's end included.
  @inlinable public var count: Int { found }
  @usableFromInline internal var lineLength = 0
  /// The length of the line, its line end left out.
  @inlinable public var length: Int { lineLength }

  @inlinable public init() {
    places = .allocate(capacity: Self.room)
    places.initialize(repeating: 0, count: Self.room)
  }

  deinit { places.deallocate() }

  /// The offset in the line of a place; that of the line's end for those behind the last.
  ///
  /// - Parameter index: from 0 to ``count``.
  @inline(__always)
  @inlinable public subscript(index: Int) -> Int {
    precondition(index >= 0 && index < Self.room, "place out of range")
    return Int(places[index])
  }

  /// Finds the places in the line at the start of `text`, which ends at a line feed if `endsAtLineFeed`, else with the text.
  @inlinable @inline(__always)
  public mutating func find(in text: ByteSlice, endsAtLineFeed: Bool) {
    // Reads no more than the slice and its padding, and stores no more than there is room for.
    let result = kata_index_line(text.base, text.count, places, Self.capacity, endsAtLineFeed)
    lineLength = result.length
    guard result.is_whole else { return stopEarly(text, result.count, endsAtLineFeed: endsAtLineFeed) }
    let end = UInt32(truncatingIfNeeded: length)
    places[result.count] = end
    places[result.count + 1] = end
    found = result.count + 1
  }

  /// The rest of the line is not indexed: no place is handed out that might take its end for the line's.
  @inlinable internal mutating func stopEarly(_ text: ByteSlice, _ places: Int, endsAtLineFeed: Bool) {
    found = max(0, places - 1)
    lineLength = endsAtLineFeed ? text.firstIndex(of: 0x0a, from: length) ?? text.count : text.count
  }
}
