import CLanes

/// Searches for bytes, sixteen at a time.
///
/// A 16-byte load may start at any byte of a slice and reach past its end: ``ByteSlice/padding`` covers that, and each
/// function drops what it found beyond the end it was given.
public enum ByteScanner {
  public typealias Lanes = SIMD16<UInt8>
  public typealias Mask = SIMDMask<SIMD16<Int8>>

  @inlinable @inline(__always)
  public static func load(_ p: UnsafePointer<UInt8>) -> Lanes {
    UnsafeRawPointer(p).loadUnaligned(as: Lanes.self)
  }

  /// The lanes of a comparison as bits: the lowest is the first lane's.
  @inlinable @inline(__always)
  public static func bits(_ mask: Mask) -> UInt32 {
    UInt32(kata_lane_bits(unsafeBitCast(mask, to: Lanes.self)))
  }

  /// The number of the first lane that is set, or 16.
  @inlinable @inline(__always)
  public static func firstLane(_ mask: Mask) -> Int { firstLane(bits(mask)) }

  @inlinable @inline(__always)
  public static func firstLane(_ bits: UInt32) -> Int { (bits | 0x1_0000).trailingZeroBitCount }

  @inlinable @inline(__always)
  public static func isAnySet(_ mask: Mask) -> Bool { bits(mask) != 0 }

  /// The lanes with a control character or a byte that is not ASCII.
  @inlinable @inline(__always)
  public static func notASCIIText(_ v: Lanes) -> Mask {
    unsafeBitCast(v, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
  }

  /// The bits of the first `n` lanes, 16 at most.
  @inlinable @inline(__always)
  public static func lanes(under n: Int) -> UInt32 { (1 << UInt32(truncatingIfNeeded: n)) &- 1 }

  /// The lanes with a byte that plain text must not contain; see ``ByteSlice/isPlain``.
  @inlinable @inline(__always)
  public static func notPlain(_ v: Lanes) -> Mask {
    // As signed bytes, controls and everything from 0x80 up are below 0x20.
    let low = unsafeBitCast(v, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
    // < and > differ in bit 1 alone.
    let angle = (v | Lanes(repeating: 0x02)) .== Lanes(repeating: 0x3e)
    let signs = (v .== Lanes(repeating: 0x25)) .| (v .== Lanes(repeating: 0x26))
    let quote = v .== Lanes(repeating: 0x22)
    let escape = v .== Lanes(repeating: 0x5c)
    let delete = v .== Lanes(repeating: 0x7f)
    return (low .| angle) .| (signs .| quote) .| (escape .| delete)
  }

  /// Whether all of `count` bytes are plain; see ``ByteSlice/isPlain``.
  @inlinable @inline(__always)
  public static func isPlain(_ start: UnsafePointer<UInt8>, count: Int) -> Bool {
    var p = start
    var left = count
    while left >= 16 {
      if isAnySet(notPlain(load(p))) { return false }
      p += 16
      left -= 16
    }
    return left == 0 || bits(notPlain(load(p))) & lanes(under: left) == 0
  }

  /// How many of the first `count` bytes are printable ASCII, excluding `%` unless it is included.
  @inlinable @inline(__always)
  public static func printablePrefix(
    _ start: UnsafePointer<UInt8>, count: Int, includingPercent: Bool = false
  ) -> Int {
    var index = 0
    while index < count {
      let v = load(start + index)
      let low = unsafeBitCast(v, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
      let last: UInt8 = includingPercent ? 0x7f : 0x25
      let lane = firstLane(low .| ((v .== Lanes(repeating: 0x7f)) .| (v .== Lanes(repeating: last))))
      index += lane
      if lane < 16 { break }
    }
    return min(index, count)
  }

  /// The first byte from `start` that is neither plain nor a `"`, or `end`.
  @inlinable @inline(__always)
  public static func endOfPlainOrQuotes(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    var p = start
    while p < end {
      let found = bits(notPlainNorQuote(load(p)), notPlainNorQuote(load(p + 16)))
      if found != 0 { return min(p + found.trailingZeroBitCount, end) }
      p += 32
    }
    return end
  }

  @inlinable @inline(__always)
  internal static func notPlainNorQuote(_ v: Lanes) -> Mask {
    let low = unsafeBitCast(v, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
    let angle = (v | Lanes(repeating: 0x02)) .== Lanes(repeating: 0x3e)
    let percent = v .== Lanes(repeating: 0x25)
    let ampersand = v .== Lanes(repeating: 0x26)
    let escape = v .== Lanes(repeating: 0x5c)
    let delete = v .== Lanes(repeating: 0x7f)
    return (low .| angle) .| (percent .| ampersand) .| (escape .| delete)
  }

  /// The bits of two comparisons of neighbouring blocks.
  @inlinable @inline(__always)
  internal static func bits(_ low: Mask, _ high: Mask) -> UInt64 {
    UInt64(bits(low)) | UInt64(bits(high)) << 16
  }

  /// The first `byte` from `start`, or `end`. Two blocks at a time: most texts end in the first round, which the
  /// processor then predicts.
  @inlinable @inline(__always)
  public static func first(
    _ byte: UInt8, _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    var p = start
    while p < end {
      let wanted = Lanes(repeating: byte)
      let found = bits(load(p) .== wanted, load(p + 16) .== wanted)
      if found != 0 { return min(p + found.trailingZeroBitCount, end) }
      p += 32
    }
    return end
  }

  /// The first space, `=` or `"` from `start`, or `end`: the end of a word, where all bytes are plain or `"`.
  @inlinable @inline(__always)
  public static func endOfPlainWord(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    var p = start
    while p < end {
      let found = bits(endsPlainWord(load(p)), endsPlainWord(load(p + 16)))
      if found != 0 { return min(p + found.trailingZeroBitCount, end) }
      p += 32
    }
    return end
  }

  /// As ``endOfPlainWord(_:_:)``, for a word that is nearly always shorter than one block: a key.
  @inlinable @inline(__always)
  public static func endOfPlainKey(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    var p = start
    while p < end {
      let found = bits(endsPlainWord(load(p)))
      if found != 0 { return min(p + found.trailingZeroBitCount, end) }
      p += 16
    }
    return end
  }

  @inlinable @inline(__always)
  internal static func endsPlainWord(_ v: Lanes) -> Mask {
    (v .== Lanes(repeating: 0x20)) .| ((v .== Lanes(repeating: 0x3d)) .| (v .== Lanes(repeating: 0x22)))
  }

  /// Where a run of bytes stopped, and whether all bytes before it are plain.
  public struct Stop {
    public var at: UnsafePointer<UInt8>
    public var isPlain: Bool

    @inlinable init(at: UnsafePointer<UInt8>, isPlain: Bool) {
      self.at = at
      self.isPlain = isPlain
    }
  }

  /// The first `"` or `\` from `start`, or `end`.
  @inlinable @inline(__always)
  public static func quoteOrEscape(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Stop {
    var p = start
    var seen: UInt32 = 0
    while p < end {
      let v = load(p)
      let stop = (v .== Lanes(repeating: 0x22)) .| (v .== Lanes(repeating: 0x5c))
      let lane = firstLane(stop)
      let special = bits(notPlain(v))
      if lane < 16 || end - p < 16 {
        let run = min(lane, end - p)
        return Stop(at: p + run, isPlain: (seen | (special & lanes(under: run))) == 0)
      }
      seen |= special
      p += 16
    }
    return Stop(at: end, isPlain: seen == 0)
  }

  /// The first `"` from `start` that no `\` escapes, or `end`.
  @inlinable public static func closingQuote(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>)
    -> UnsafePointer<UInt8>
  {
    var p = start
    while p < end {
      let v = load(p)
      let quotes = bits(v .== Lanes(repeating: 0x22))
      let escapes = bits(v .== Lanes(repeating: 0x5c))
      // If no two escapes are adjacent, each of them takes the byte after it.
      if escapes & escapes << 1 == 0 {
        let open = quotes & ~(escapes << 1)
        if open != 0 { return min(p + firstLane(open), end) }
        p += escapes >> 15 == 0 ? 16 : 17
        continue
      }
      let lane = firstLane(quotes | escapes)
      p += lane
      if p >= end { return end }
      if p.pointee == 0x22 { return p }
      p += 2
    }
    return end
  }

  /// The first blank (a byte up to 0x20), `=` or `"` from `start`, or `end`: where a logfmt key or bare value ends.
  @inlinable @inline(__always)
  public static func endOfWord(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Stop {
    var p = start
    var seen: UInt32 = 0
    while p < end {
      let v = load(p)
      let stop =
        (v .<= Lanes(repeating: 0x20)) .| (v .== Lanes(repeating: 0x3d)) .| (v .== Lanes(repeating: 0x22))
      let lane = firstLane(stop)
      let special = bits(notPlain(v))
      if lane < 16 || end - p < 16 {
        let run = min(lane, end - p)
        return Stop(at: p + run, isPlain: (seen | (special & lanes(under: run))) == 0)
      }
      seen |= special
      p += 16
    }
    return Stop(at: end, isPlain: seen == 0)
  }

  /// Where the line that begins at `start` ends, at `end` at the latest, and whether `time=` stands in it. Up to 68
  /// bytes after `end` are read.
  @inlinable @inline(__always)
  public static func lineEnd(
    from start: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>
  ) -> (end: UnsafePointer<UInt8>, hasTime: Bool) {
    let found = kata_find_line_end(start, end)
    return (found.end ?? end, found.has_time)
  }
}
