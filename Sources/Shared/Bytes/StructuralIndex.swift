import CLanes

/// Where the bytes stand that give a line of logfmt its structure: found in one pass over the line, 64 bytes at a time,
/// without a branch for each of them.
///
/// The places are those of every `=` and space outside quotes, every `"` that opens quotes anywhere but after a `=`, and
/// every byte but quotes that plain text may not have (see ``ByteSlice/isPlain``). So a line of `key=value` and
/// `key="value"` has two places a pair, that of the `=` and that of the space after the value or the line's end, and
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

  /// The offset in the line of a place; that of the line's end for those after the last.
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

/// A member of a JSON object: its name and its value, without quotes.
public struct PlainMember: BitwiseCopyable {
  public var name: ByteSlice
  public var value: ByteSlice

  @inlinable @inline(__always)
  public init(name: ByteSlice, value: ByteSlice) {
    self.name = name
    self.value = value
  }
}

extension StructuralIndex {
  /// The member that begins at a place, and the offset after its comma, if it is written as loggers write nearly every one:
  /// `"name":"value","` of nothing but plain bytes, and nothing between. Else nil, which says nothing.
  ///
  /// - Parameters:
  ///   - place: from 0; the two places after it are looked at too.
  ///   - text: what ``find(in:endsAtLineFeed:)`` was last called with.
  ///   - offset: where the member must begin.
  @inlinable @inline(__always)
  public func plainMember(_ place: Int, in text: ByteSlice, from offset: Int) -> (PlainMember, next: Int)? {
    guard place >= 0, place &+ 2 <= count else { return nil }
    // Quotes that open, and all bytes that are not plain, are places: what lies between two that follow each other is plain
    // but for the quote that closes.
    let (name, value, next) = (self[place], self[place &+ 1], self[place &+ 2])
    // With these, every index below is in the text, and no length is negative.
    guard name == offset, name >= 0, value > name &+ 2, next > value &+ 2, next < text.count else {
      return nil
    }
    let base = text.base
    guard base[name] == 0x22, base[value &- 2] == 0x22, base[value &- 1] == 0x3a, base[value] == 0x22,
      base[next &- 2] == 0x22, base[next &- 1] == 0x2c, base[next] == 0x22
    else { return nil }
    let member = PlainMember(
      name: ByteSlice(base: base + name + 1, count: value &- name &- 3, isPlain: true),
      value: ByteSlice(base: base + value + 1, count: next &- value &- 3, isPlain: true))
    return (member, next)
  }
}
