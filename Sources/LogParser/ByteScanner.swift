/// Finding the bytes that matter, sixteen at a time.
///
/// A 16-byte load may start at any byte of a slice and reach past its end: ``ByteSlice/padding`` covers that, and each
/// function drops what it found beyond the end it was given.
enum ByteScanner {
  typealias Lanes = SIMD16<UInt8>
  typealias Mask = SIMDMask<SIMD16<Int8>>

  @inline(__always)
  static func load(_ p: UnsafePointer<UInt8>) -> Lanes {
    UnsafeRawPointer(p).loadUnaligned(as: Lanes.self)
  }

  /// The number of the first lane that is set, or 16.
  @inline(__always)
  static func firstLane(_ mask: Mask) -> Int {
    let words = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    if words[0] != 0 { return words[0].trailingZeroBitCount >> 3 }
    if words[1] != 0 { return 8 + words[1].trailingZeroBitCount >> 3 }
    return 16
  }

  @inline(__always)
  static func isAnySet(_ mask: Mask) -> Bool {
    let words = unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    return words[0] | words[1] != 0
  }

  /// The lanes that hold a byte which plain text may not have; see ``ByteSlice/isPlain``.
  @inline(__always)
  static func notPlain(_ v: Lanes) -> Mask {
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

  @inline(__always)
  static func lanes(under n: Int) -> Mask {
    Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
      .< Lanes(repeating: UInt8(truncatingIfNeeded: n))
  }

  /// Whether all of `count` bytes are plain; see ``ByteSlice/isPlain``.
  @inline(__always)
  static func isPlain(_ start: UnsafePointer<UInt8>, count: Int) -> Bool {
    var p = start
    var left = count
    while left >= 16 {
      if isAnySet(notPlain(load(p))) { return false }
      p += 16
      left -= 16
    }
    return left == 0 || !isAnySet(notPlain(load(p)) .& lanes(under: left))
  }

  /// How many of the first `count` bytes are printable ASCII and no `%`, found sixteen at a time: a few more may
  /// follow.
  @inline(__always)
  static func printablePrefix(_ start: UnsafePointer<UInt8>, count: Int) -> Int {
    var index = 0
    while index < count {
      let v = load(start + index)
      let low = unsafeBitCast(v, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
      let lane = firstLane(
        low .| ((v .== Lanes(repeating: 0x7f)) .| (v .== Lanes(repeating: 0x25))))
      index += lane
      if lane < 16 { break }
    }
    return min(index, count)
  }

  /// The line end from `start`, or `end`, and whether every byte before it is plain or a `"`.
  @inline(__always)
  static func lineEnd(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Stop {
    var p = start
    // Two blocks at once while all bytes are plain, as those of most lines are.
    while end - p >= 32 {
      if isAnySet(notPlainNorQuote(load(p)) .| notPlainNorQuote(load(p + 16))) { break }
      p += 32
    }
    var seen = Mask(repeating: false)
    while p < end {
      let v = load(p)
      let special = notPlainNorQuote(v)
      let run = min(firstLane(v .== Lanes(repeating: 0x0a)), end - p)
      if run < 16 {
        return Stop(at: p + run, isPlain: !isAnySet(seen .| (special .& lanes(under: run))))
      }
      seen .|= special
      p += 16
    }
    return Stop(at: end, isPlain: !isAnySet(seen))
  }

  @inline(__always)
  private static func notPlainNorQuote(_ v: Lanes) -> Mask {
    let low = unsafeBitCast(v, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
    let angle = (v | Lanes(repeating: 0x02)) .== Lanes(repeating: 0x3e)
    let percent = v .== Lanes(repeating: 0x25)
    let ampersand = v .== Lanes(repeating: 0x26)
    let escape = v .== Lanes(repeating: 0x5c)
    let delete = v .== Lanes(repeating: 0x7f)
    return (low .| angle) .| (percent .| ampersand) .| (escape .| delete)
  }

  /// The first of `byte` from `start`, or `end`.
  @inline(__always)
  static func first(
    _ byte: UInt8, _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    var p = start
    while p < end {
      let lane = firstLane(load(p) .== Lanes(repeating: byte))
      p += lane
      if lane < 16 { return min(p, end) }
    }
    return end
  }

  /// The first blank (a byte up to 0x20), `=` or `"` from `start`, or `end`, where all bytes are plain or `"`.
  @inline(__always)
  static func endOfPlainWord(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    var p = start
    while p < end {
      let v = load(p)
      // Among the bytes of a plain line only a space and these two are no part of a word.
      let lane = firstLane(
        (v .== Lanes(repeating: 0x20)) .| ((v .== Lanes(repeating: 0x3d)) .| (v .== Lanes(repeating: 0x22))))
      p += lane
      if lane < 16 { return min(p, end) }
    }
    return end
  }

  /// Where a run of bytes stopped and whether all before it are plain.
  struct Stop {
    var at: UnsafePointer<UInt8>
    var isPlain: Bool
  }

  /// The first `"` or `\` from `start`, or `end`.
  @inline(__always)
  static func quoteOrEscape(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Stop {
    var p = start
    var seen = Mask(repeating: false)
    while p < end {
      let v = load(p)
      let stop = (v .== Lanes(repeating: 0x22)) .| (v .== Lanes(repeating: 0x5c))
      let lane = firstLane(stop)
      let special = notPlain(v)
      if lane < 16 || end - p < 16 {
        let run = min(lane, end - p)
        return Stop(at: p + run, isPlain: !isAnySet(seen .| (special .& lanes(under: run))))
      }
      seen .|= special
      p += 16
    }
    return Stop(at: end, isPlain: !isAnySet(seen))
  }

  /// The first blank (a byte up to 0x20), `=` or `"` from `start`, or `end`: where a logfmt key or bare value ends.
  @inline(__always)
  static func endOfWord(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Stop {
    var p = start
    var seen = Mask(repeating: false)
    while p < end {
      let v = load(p)
      let stop =
        (v .<= Lanes(repeating: 0x20)) .| (v .== Lanes(repeating: 0x3d)) .| (v .== Lanes(repeating: 0x22))
      let lane = firstLane(stop)
      let special = notPlain(v)
      if lane < 16 || end - p < 16 {
        let run = min(lane, end - p)
        return Stop(at: p + run, isPlain: !isAnySet(seen .| (special .& lanes(under: run))))
      }
      seen .|= special
      p += 16
    }
    return Stop(at: end, isPlain: !isAnySet(seen))
  }
}
