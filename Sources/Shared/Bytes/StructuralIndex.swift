import CLanes

/// The positions of the structural bytes of a logfmt line: found in one pass over the line, 64 bytes at a time, without
/// a branch per byte.
///
/// The places are those of every `=` and space outside quotes, every `"` that opens quotes anywhere but after a `=`,
/// and every byte but quotes that plain text may not have (see ``ByteSlice/isPlain``). So a line of `key=value` and
/// `key="value"` has two places a pair, that of the `=` and that of the space after the value or the line's end, and
/// whatever is written differently has others. Which quotes are escaped is not looked at: a backslash is a place
/// itself.
public struct StructuralIndex: ~Copyable {
  /// The maximum number of places; only the beginning of a line with more is indexed.
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

  /// The offset of a place and that of the next one; nil from ``count`` on. One check for the two.
  @inlinable @inline(__always)
  public func pair(at index: Int) -> (Int, Int)? {
    guard UInt(bitPattern: index) < UInt(bitPattern: found) else { return nil }
    return (Int(places[index]), Int(places[index &+ 1]))
  }

  /// Finds the places in the line at the start of `text`, which ends at a line feed if `endsAtLineFeed`, else with the
  /// text.
  @inlinable @inline(__always)
  public mutating func find(in text: ByteSlice, endsAtLineFeed: Bool) {
    // Reads only the slice and its padding, and stores only what fits.
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
  /// A member and where to read on: at the next one's name, or at the brace that closes the object.
  public struct FoundMember {
    public var member: PlainMember
    public var next: Int
    public var isLast: Bool

    @inlinable @inline(__always)
    internal init(_ text: ByteSlice, _ name: Range<Int>, _ value: Range<Int>, next: Int, isLast: Bool) {
      let base = text.base
      member = PlainMember(
        name: ByteSlice(base: base + name.lowerBound, count: name.count, isPlain: true),
        value: ByteSlice(base: base + value.lowerBound, count: value.count, isPlain: true))
      self.next = isLast ? next &- 1 : next
      self.isLast = isLast
    }
  }

  /// Whether a comma and a quote, or the text's last brace, stand around `next`, which must be from 1 to the text's
  /// count; nil when neither does.
  @inlinable @inline(__always)
  internal func endsObject(_ next: Int, _ text: ByteSlice) -> Bool? {
    let mark = text.base[next &- 1]
    if mark == 0x2c, next < text.count, text.base[next] == 0x22 { return false }
    return mark == 0x7d && next == text.count ? true : nil
  }

  /// The member that begins at a place, if it is written as loggers write nearly every one: `"name":"value"` of nothing
  /// but plain bytes, and a comma and the next name, or the object's and the text's end, right behind. Else nil, which
  /// says nothing.
  ///
  /// - Parameters:
  ///   - place: from 0; the two places after it are looked at too.
  ///   - text: what ``find(in:endsAtLineFeed:)`` was last called with.
  ///   - offset: where the member must begin.
  @inlinable @inline(__always)
  public func plainMember(_ place: Int, in text: ByteSlice, from offset: Int) -> FoundMember? {
    guard place >= 0, place &+ 2 <= count else { return nil }
    // Quotes that open, and all bytes that are not plain, are places: what lies between two that follow each other is
    // plain but for the quote that closes.
    let (name, value, next) = (self[place], self[place &+ 1], self[place &+ 2])
    // With these, every index below is in the text, and no length is negative.
    guard name == offset, name >= 0, value > name &+ 2, next > value &+ 2, next <= text.count else {
      return nil
    }
    let base = text.base
    guard base[name] == 0x22, base[value &- 2] == 0x22, base[value &- 1] == 0x3a, base[value] == 0x22,
      base[next &- 2] == 0x22, let isLast = endsObject(next, text)
    else { return nil }
    return FoundMember(
      text, Range(uncheckedBounds: (name &+ 1, value &- 2)), Range(uncheckedBounds: (value &+ 1, next &- 2)),
      next: next, isLast: isLast)
  }

  /// As ``plainMember(_:in:from:)`` for a member whose value is a whole number: `"name":123`. One place behind its own
  /// is looked at.
  @inlinable @inline(__always)
  public func numberMember(_ place: Int, in text: ByteSlice, from offset: Int) -> FoundMember? {
    guard place >= 0, place &+ 1 <= count else { return nil }
    let (name, next) = (self[place], self[place &+ 1])
    guard name == offset, name >= 0, next > name &+ 4, next <= text.count else { return nil }
    let base = text.base
    guard base[name] == 0x22, let isLast = endsObject(next, text) else { return nil }
    // The quote at `name` ends this at the latest.
    var start = next &- 1
    while base[start &- 1].isDigit { start &-= 1 }
    guard start < next &- 1, start > name &+ 2, base[start &- 1] == 0x3a, base[start &- 2] == 0x22,
      base[start] != 0x30 || start == next &- 2
    else { return nil }
    return FoundMember(
      text, Range(uncheckedBounds: (name &+ 1, start &- 2)), Range(uncheckedBounds: (start, next &- 1)),
      next: next, isLast: isLast)
  }
}
