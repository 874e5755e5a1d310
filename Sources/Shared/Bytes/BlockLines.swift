/// The lines of a block of logfmt, and whether each has more than one time.
///
/// It does not parse the lines: it assumes that the first six bytes of each are `time="`, in which no line ends, and
/// the caller has to check that.
public struct BlockLines {
  @usableFromInline internal let base: UnsafePointer<UInt8>
  @usableFromInline internal let end: UnsafePointer<UInt8>
  @usableFromInline internal var start: UnsafePointer<UInt8>
  @usableFromInline internal let isLast: Bool

  /// - Parameters:
  ///   - bytes: the contents of a ``PageBlock``, from the first byte of a line on.
  ///   - isLast: whether nothing follows, so that the last line needs no line end.
  @inlinable public init(_ block: borrowing PageBlock, isLast: Bool) {
    let bytes = block.slice(from: 0)
    base = bytes.base
    end = bytes.end
    start = bytes.base
    self.isLast = isLast
  }

  /// Where the next line begins, in bytes from the start of the block.
  @inlinable @inline(__always)
  public var offset: Int { min(start, end) - base }

  /// The next line without its line end, and whether `time=` occurs in it after its first six bytes; nil if there is no
  /// complete one.
  @inlinable @inline(__always)
  public mutating func next() -> (line: ByteSlice, saysTimeAgain: Bool)? {
    guard start < end else { return nil }
    // Reads after the end stay within the block's padding.
    let found = ByteScanner.lineEnd(from: start + min(6, end - start), to: end)
    let stop = start.pointee == 0x0a ? start : found.end
    if stop == end, !isLast { return nil }
    let line = ByteSlice(base: start, count: stop - start, isPlain: false)
    start = stop + 1
    return (line, found.hasTime)
  }
}
