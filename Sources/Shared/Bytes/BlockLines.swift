/// The lines of a block of logfmt, one after another, and whether each says its time more than once.
///
/// A look at the lines and no more: it takes the first six bytes of each for `time="`, in which no line ends, and leaves
/// it to the caller to see whether they are.
public struct BlockLines {
  @usableFromInline internal let base: UnsafePointer<UInt8>
  @usableFromInline internal let end: UnsafePointer<UInt8>
  @usableFromInline internal var start: UnsafePointer<UInt8>
  @usableFromInline internal let isLast: Bool

  /// - Parameters:
  ///   - bytes: what a ``PageBlock`` holds, from the first byte of a line on.
  ///   - isLast: whether nothing follows, so that a last line needs no line end.
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

  /// The next line without its line end, and whether `time=` occurs in it after its first six bytes; nil when there is
  /// no whole one.
  @inlinable @inline(__always)
  public mutating func next() -> (line: ByteSlice, saysTimeAgain: Bool)? {
    guard start < end else { return nil }
    // What is read after the end is the block's padding.
    let found = ByteScanner.lineEnd(from: start + min(6, end - start), to: end)
    let stop = start.pointee == 0x0a ? start : found.end
    if stop == end, !isLast { return nil }
    let line = ByteSlice(base: start, count: stop - start, isPlain: false)
    start = stop + 1
    return (line, found.hasTime)
  }
}
