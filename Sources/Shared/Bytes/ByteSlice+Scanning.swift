/// The scans of ``ByteScanner`` with offsets in a slice: arguments are checked, and results are within the slice.
extension ByteSlice {
  /// Where a run of bytes stopped, and whether all before it are plain.
  public struct Stop {
    /// An offset in the slice, its count at most.
    public var at: Int
    public var isPlain: Bool

    @inlinable @inline(__always)
    init(_ stop: ByteScanner.Stop, in slice: ByteSlice) {
      at = stop.at - slice.base
      isPlain = stop.isPlain
    }
  }

  /// The address of an offset, which must be from 0 to the count.
  @inlinable @inline(__always)
  internal func address(_ offset: Int) -> UnsafePointer<UInt8> {
    precondition(UInt(bitPattern: offset) <= UInt(packedCount), "offset out of range")
    return base + offset
  }

  /// The bytes from `start` to `end`, which must be in order and within the slice.
  ///
  /// - Parameter isPlain: what the caller knows of them; false says nothing.
  @inlinable @inline(__always)
  public func part(_ start: Int, _ end: Int, isPlain: Bool) -> ByteSlice {
    precondition(start >= 0 && start <= end && end <= count, "range out of bounds")
    return ByteSlice(base: base + start, count: end - start, isPlain: isPlain)
  }

  /// The first `"` or `\` from `start` on, or the end.
  @inlinable @inline(__always)
  public func quoteOrEscape(from start: Int) -> Stop {
    Stop(ByteScanner.quoteOrEscape(address(start), end), in: self)
  }

  /// The first `"` from `start` on that no `\` escapes, or the end.
  @inlinable public func closingQuote(from start: Int) -> Int {
    ByteScanner.closingQuote(address(start), end) - base
  }

  /// The first blank (a byte up to 0x20), `=` or `"` from `start` on, or the end.
  @inlinable @inline(__always)
  public func endOfWord(from start: Int) -> Stop {
    Stop(ByteScanner.endOfWord(address(start), end), in: self)
  }

  /// How many bytes from `start` on are printable ASCII, and no `%` unless that is included.
  @inlinable @inline(__always)
  public func printablePrefix(from start: Int = 0, includingPercent: Bool = false) -> Int {
    ByteScanner.printablePrefix(address(start), count: count - start, includingPercent: includingPercent)
  }

  /// How many bytes from `start` on are plain (see ``ByteSlice/isPlain``) and not `stop`.
  @inlinable @inline(__always)
  public func plainPrefix(from start: Int, until stop: UInt8 = UInt8(ascii: "\"")) -> Int {
    var p = address(start)
    while p < end {
      let v = ByteScanner.load(p)
      let lane = ByteScanner.firstLane(ByteScanner.notPlain(v) .| (v .== ByteScanner.Lanes(repeating: stop)))
      p += lane
      if lane < 16 { break }
    }
    return min(p, end) - base - start
  }

  /// Whether all bytes are ASCII beyond the space, and none of them is `=`, `"`, `\` or a delete: a value of logfmt
  /// that needs no quotes.
  @inlinable @inline(__always)
  public var isBareWord: Bool {
    var index = 0
    while index < count {
      let v = ByteScanner.load(base + index)
      // As signed bytes, those that are not ASCII are below the space too.
      let low = unsafeBitCast(v, to: SIMD16<Int8>.self) .<= SIMD16<Int8>(repeating: 0x20)
      let marks = (v .== ByteScanner.Lanes(repeating: 0x3d)) .| (v .== ByteScanner.Lanes(repeating: 0x22))
      let rest = (v .== ByteScanner.Lanes(repeating: 0x5c)) .| (v .== ByteScanner.Lanes(repeating: 0x7f))
      let found = ByteScanner.bits((low .| marks) .| rest)
      if found & ByteScanner.lanes(under: min(16, count - index)) != 0 { return false }
      index += 16
    }
    return true
  }

  /// Whether any of four bytes is anywhere in the slice.
  @inlinable @inline(__always)
  public func contains(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) -> Bool {
    var p = base
    var left = count
    while left > 0 {
      let v = ByteScanner.load(p)
      let some = (v .== ByteScanner.Lanes(repeating: first)) .| (v .== ByteScanner.Lanes(repeating: second))
      let others = (v .== ByteScanner.Lanes(repeating: third)) .| (v .== ByteScanner.Lanes(repeating: fourth))
      var marks = ByteScanner.bits(some .| others)
      if left < 16 { marks &= ByteScanner.lanes(under: left) }
      if marks != 0 { return true }
      p += 16
      left -= 16
    }
    return false
  }

  /// Whether either of two bytes is anywhere in the slice.
  @inlinable @inline(__always)
  public func contains(_ first: UInt8, or second: UInt8) -> Bool {
    var p = base
    var left = count
    while left > 0 {
      let v = ByteScanner.load(p)
      var marks = ByteScanner.bits(
        (v .== ByteScanner.Lanes(repeating: first)) .| (v .== ByteScanner.Lanes(repeating: second)))
      if left < 16 { marks &= ByteScanner.lanes(under: left) }
      if marks != 0 { return true }
      p += 16
      left -= 16
    }
    return false
  }
}
