import Bytes

/// Checks line by line whether logfmt lines are sorted by time, mostly without parsing them.
struct LineOrder: ~Copyable {
  private let reader: LogfmtRecord
  private let lineLimit: Int
  private var record = Record()
  /// The time of the last line: as text if it has the fixed form, otherwise parsed.
  private var lastStamp: FixedStamp?
  private var lastReadTime: Timestamp?
  /// The number of lines checked.
  private(set) var lines: UInt64 = 0
  /// The time of the first line.
  private(set) var firstTime: Timestamp?

  /// The time of the last checked line; nil before the first, and if it is not a valid time.
  var lastTime: Timestamp? { lastStamp.map(\.time) ?? lastReadTime }

  init(reader: LogfmtRecord, lineLimit: Int) {
    self.reader = reader
    self.lineLimit = lineLimit
  }

  /// Checks the whole lines of a block that begin before `place`, and returns their size in bytes; nil if one is out of
  /// order.
  mutating func take(_ block: BlockLines, before place: Int) -> Int? {
    var block = block
    while block.offset < place, let (line, saysTimeAgain) = block.next() {
      guard line.count <= lineLimit, isInOrder(line, saysTimeAgain) else { return nil }
      lines += 1
      if lines == 1 { firstTime = lastTime }
    }
    return block.offset
  }

  /// Whether the line's record is at or after the one before. A second `time=` may override the first, or belong to an
  /// agent record, so such a line has to be parsed.
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
      // A problem with the line is reported when it is read.
      if (try? reader.parse(line, into: &record)) != nil { return record.time }
    }
    let end = line.firstIndex(of: 0x22, from: 26) ?? line.count
    return Timestamp.parse(rfc3339: line.slice(6, min(end, 48)).bytes, fraction: .required)
  }
}
