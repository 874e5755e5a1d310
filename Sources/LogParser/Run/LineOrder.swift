import Bytes

/// Tells, line by line, whether logfmt lines are in order of time, mostly without reading them.
struct LineOrder: ~Copyable {
  private let reader: LogfmtRecord
  private let lineLimit: Int
  private var record = Record()
  /// The time of the last line: as it is written where that form is fixed, else read.
  private var lastStamp: FixedStamp?
  private var lastReadTime: Timestamp?
  /// The number of lines that were taken.
  private(set) var lines: UInt64 = 0
  /// The time of the first line.
  private(set) var firstTime: Timestamp?

  /// The time of the last line that was taken; nil before the first, and when it is not a time.
  var lastTime: Timestamp? { lastStamp.map(\.time) ?? lastReadTime }

  init(reader: LogfmtRecord, lineLimit: Int) {
    self.reader = reader
    self.lineLimit = lineLimit
  }

  /// Takes the whole lines of a block that begin before `place` in it, and returns how many bytes they have; nil when one
  /// is not in order.
  mutating func take(_ block: BlockLines, before place: Int) -> Int? {
    var block = block
    while block.offset < place, let (line, saysTimeAgain) = block.next() {
      guard line.count <= lineLimit, isInOrder(line, saysTimeAgain) else { return nil }
      lines += 1
      if lines == 1 { firstTime = lastTime }
    }
    return block.offset
  }

  /// Whether the line's record is at or after the one before. A later `time=` may be a field that wins, or an agent's
  /// own record: only reading the line tells.
  @inline(__always)
  private mutating func isInOrder(_ line: ByteSlice, _ saysTimeAgain: Bool) -> Bool {
    let stamp = FixedStamp(line)
    if let stamp, let lastStamp, !saysTimeAgain {
      self.lastStamp = stamp
      return !stamp.precedes(lastStamp)
    }
    let before = lastTime
    guard let time = time(of: line, saysTimeAgain) else { return false }
    lastStamp = saysTimeAgain ? nil : stamp
    lastReadTime = time
    return before.map { time >= $0 } ?? true
  }

  private mutating func time(of line: ByteSlice, _ saysTimeAgain: Bool) -> Timestamp? {
    guard line.count > 28, line.hasPrefix("time=\"") else { return nil }
    if saysTimeAgain {
      record.reset()
      record.line = lines + 1
      // What is wrong with the line is said when its turn comes.
      if (try? reader.parse(line, into: &record)) != nil { return record.time }
    }
    let end = line.firstIndex(of: 0x22, from: 26) ?? line.count
    return Timestamp.parse(rfc3339: line.slice(6, min(end, 48)).bytes, fraction: .required)
  }
}
