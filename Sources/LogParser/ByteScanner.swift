/// Finding the bytes that matter, sixteen at a time.
///
/// A 16-byte load may start at any byte of a slice and reach past its end: ``ByteSlice/padding`` covers that, and each
/// function drops what it found beyond the end it was given.
enum ByteScanner {
  typealias Lanes = SIMD16<UInt8>
  typealias Mask = SIMDMask<SIMD16<Int8>>

  private static let laneNumbers = Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

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
    // < and > differ in bit 1 alone; % and & are neighbours.
    let angle = (v | Lanes(repeating: 0x02)) .== Lanes(repeating: 0x3e)
    let signs = (v &- Lanes(repeating: 0x25)) .< Lanes(repeating: 2)
    let quote = v .== Lanes(repeating: 0x22)
    let escape = v .== Lanes(repeating: 0x5c)
    let delete = v .== Lanes(repeating: 0x7f)
    return (low .| angle) .| (signs .| quote) .| (escape .| delete)
  }

  @inline(__always)
  static func lanes(under n: Int) -> Mask {
    laneNumbers .< Lanes(repeating: UInt8(truncatingIfNeeded: n))
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
