import Bytes
import System

/// A first look at a regular file: whether every line begins with a time, and whether they are in order.
///
/// It costs little more than counting lines. When the answer is yes the file is formatted as it is read, in constant
/// memory and in pieces that need not wait for each other; otherwise its records go through a ``SortBuffer``.
package struct SortedSegments {
  package private(set) var segments: [FileSegment] = []

  /// Looks through a file of `size` bytes; nil when it is not all lines that begin with a time, in order.
  ///
  /// - Parameter rangeSize: how many bytes one thread looks through at a time.
  package init?(
    _ file: borrowing FileDescriptor, size: Int, subject: String, lineLimit: Int, reader: LogfmtRecord,
    threads: Int, rangeSize: Int = 4 << 20
  ) {
    let number = file.number
    let rangeSize = max(1, rangeSize)
    var next = 0
    var joint = Joint()
    OrderedWork.run(
      threads: min(threads, size / rangeSize),
      nextJob: {
        guard next < size else { return nil as Range<Int>? }
        let range = next..<min(size, next + rangeSize)
        next = range.upperBound
        return range
      },
      makeWorker: {
        RangeScan(
          file: FileDescriptor(borrowing: number), size: size, subject: subject, lineLimit: lineLimit,
          reader: reader)
      },
      perform: { range, scan, _ in scan.look(through: range) },
      consume: { part, _ in joint.add(part) })
    guard size > 0, joint.isInOrder else { return nil }
    segments = joint.segments
  }

  /// The parts that were looked through so far, joined.
  private struct Joint {
    var segments: [FileSegment] = []
    var isInOrder = true
    private var lines: UInt64 = 0
    private var lastTime: Timestamp?

    /// Takes the next part; false when the lines are not in order.
    mutating func add(_ part: RangeScan.Part?) -> Bool {
      guard let part else {
        isInOrder = false
        return false
      }
      if let first = part.firstTime, let lastTime, first < lastTime {
        isInOrder = false
        return false
      }
      for segment in part.segments {
        var segment = segment
        segment.firstLine += lines
        segment.previousTime = segment.previousTime ?? lastTime
        segments.append(segment)
      }
      lines += part.lines
      lastTime = part.lastTime ?? lastTime
      return true
    }
  }
}
