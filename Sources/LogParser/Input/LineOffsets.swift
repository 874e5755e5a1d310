/// Where the lines of a file begin, of those that may still become records.
struct LineOffsets {
  /// Lines that give no record, such as blank ones, are forgotten when there are more than this.
  private static let most = 1 << 16

  private var offsets: [Int] = []
  /// The place in ``offsets`` of the first line that is kept, and its number.
  private var first = 0
  private var firstLine: UInt64 = 1

  mutating func append(_ offset: Int) {
    if offsets.count - first >= Self.most { drop(1) }
    offsets.append(offset)
  }

  /// The offset of a line; nil when it was forgotten or has not come. The lines before it are forgotten.
  mutating func offset(ofLine line: UInt64) -> Int? {
    guard line >= firstLine, line - firstLine < UInt64(offsets.count - first) else { return nil }
    drop(Int(line - firstLine))
    return offsets[first]
  }

  private mutating func drop(_ count: Int) {
    first += count
    firstLine += UInt64(count)
    guard first >= 1024, first >= offsets.count / 2 else { return }
    offsets.removeFirst(first)
    first = 0
  }
}
