import Bytes
import System

/// A first look at a regular file: whether every line begins with a time, and whether they are in order.
///
/// It costs little more than counting lines. If the lines are in order, the file is formatted as it is read, in
/// constant memory and in independent pieces; otherwise its records go through a ``SortBuffer``.
package struct SortedSegments {
  package private(set) var segments: [FileSegment] = []

  /// Scans a file of `size` bytes; nil unless all its lines begin with a time and are in order.
  ///
  /// - Parameter rangeSize: the number of bytes that one thread scans at a time.
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

  /// The joined results so far.
  private struct Joint {
    var segments: [FileSegment] = []
    var isInOrder = true
    private var lines: UInt64 = 0
    private var lastTime: Timestamp?

    /// Adds the next result; false if the lines are out of order.
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
