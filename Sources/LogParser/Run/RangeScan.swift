import Bytes
import System

/// One thread's scan through ranges of a file: checks whether the lines that begin in a range are in order of time.
struct RangeScan: ~Copyable {
  /// The result for a range.
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
  ///   - lineLimit: the maximum length of a line in bytes.
  init(file: consuming FileDescriptor, size: Int, subject: String, lineLimit: Int, reader: LogfmtRecord) {
    self.file = file
    self.size = size
    self.subject = subject
    self.lineLimit = min(lineLimit, FileSegment.size - 1)
    self.reader = reader
  }

  /// Checks the lines that begin in `range`; nil if one of them is out of order, or cannot be read.
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

  /// Fills the block from `offset` and returns its number of bytes, at least one.
  private mutating func read(at offset: Int, atMost limit: Int = FileSegment.size) -> Int? {
    try? block.read(file, at: offset, count: min(limit, size - offset), subject: subject)
    return block.count > 0 ? block.count : nil
  }

  /// The start of the first line at or after `offset`; nil if there is none within the line limit.
  private mutating func lineStart(from offset: Int) -> Int? {
    if offset == 0 { return 0 }
    // A line that contains the offset belongs to the range before, unless it begins exactly there.
    for limit in [8 << 10, FileSegment.size] {
      guard let got = read(at: offset - 1, atMost: limit) else { break }
      if let end = block.slice(from: 0).firstIndex(of: 0x0a) { return offset + end }
      if offset - 1 + got == size { return size }
    }
    return nil
  }
}
