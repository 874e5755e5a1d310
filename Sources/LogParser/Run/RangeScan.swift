import Bytes
import System

/// One thread's look through ranges of a file: whether the lines that begin in a range are in order of time.
struct RangeScan: ~Copyable {
  /// What was found in a range.
  struct Part {
    var segments: [FileSegment] = []
    /// The number of lines that begin in the range.
    var lines: UInt64 = 0
    var firstTime: Timestamp?
    var lastTime: Timestamp?
  }

  private let file: FileDescriptor
  private let size: Int
  private let subject: String
  private let lineLimit: Int
  private let reader: LogfmtRecord
  private var block = PageBlock(capacity: FileSegment.size)

  /// - Parameters:
  ///   - size: the size of the file.
  ///   - lineLimit: the longest line in bytes.
  init(file: consuming FileDescriptor, size: Int, subject: String, lineLimit: Int, reader: LogfmtRecord) {
    self.file = file
    self.size = size
    self.subject = subject
    self.lineLimit = min(lineLimit, FileSegment.size - 1)
    self.reader = reader
  }

  /// Checks the lines that begin in `range`; nil when one of them is not in order, or cannot be read.
  mutating func look(through range: Range<Int>) -> Part? {
    var part = Part()
    guard var offset = lineStart(from: range.lowerBound) else { return nil }
    var order = LineOrder(reader: reader, lineLimit: lineLimit)
    while offset < range.upperBound {
      guard let got = read(at: offset) else { return nil }
      let before = order.lastTime
      let firstLine = order.lines + 1
      let lines = BlockLines(block, isLast: offset + got >= size)
      guard let used = order.take(lines, before: range.upperBound - offset), used > 0,
        let last = order.lastTime
      else { return nil }
      part.segments.append(
        FileSegment(offset: offset, count: used, firstLine: firstLine, previousTime: before))
      part.lastTime = last
      offset += used
    }
    part.lines = order.lines
    part.firstTime = order.firstTime
    return part
  }

  /// Fills the block from `offset` on and returns how many bytes it then holds, at least one.
  private mutating func read(at offset: Int, atMost limit: Int = FileSegment.size) -> Int? {
    try? block.read(file, at: offset, count: min(limit, size - offset), subject: subject)
    return block.count > 0 ? block.count : nil
  }

  /// Where the first line begins that begins at `offset` or behind it; nil when none does within a line's limit.
  private mutating func lineStart(from offset: Int) -> Int? {
    if offset == 0 { return 0 }
    // The line that the place is in belongs to what is before it, unless it begins right there.
    for limit in [8 << 10, FileSegment.size] {
      guard let got = read(at: offset - 1, atMost: limit) else { break }
      if let end = block.slice(from: 0).firstIndex(of: 0x0a) { return offset + end }
      if offset - 1 + got == size { return size }
    }
    return nil
  }
}
