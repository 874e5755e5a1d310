import Bytes
import Glibc
import System

/// Finds the segments that an earlier run left.
enum SpoolRecovery {
  static func segments(in directory: String) throws(SystemCallError) -> (
    segments: [Spool.Segment], cutBytes: Int
  ) {
    let numbers = try DirectoryListing.names(in: directory).compactMap(SpoolFormat.segment(fileName:))
      .sorted()
    var result: [Spool.Segment] = []
    var cut = 0
    for (index, number) in numbers.enumerated() {
      let path = "\(directory)/\(SpoolFormat.fileName(number))"
      let (segment, lost) = try scan(path, number, isLast: index == numbers.count - 1)
      cut += lost
      if segment.size <= SpoolFormat.headerBytes { _ = unlink(path) } else { result.append(segment) }
    }
    return (result, cut)
  }

  /// Counts the records of a segment, and cuts what a crash left behind the last whole one of the last segment.
  private static func scan(
    _ path: String, _ number: UInt64, isLast: Bool
  ) throws(SystemCallError) -> (Spool.Segment, Int) {
    let file = try FileDescriptor.open(path, O_RDWR)
    let size = Int(try file.status(path).st_size)
    var segment = Spool.Segment(number: number, size: size, records: 0)
    var good = SpoolFormat.headerBytes
    var piece = SpoolPiece()
    while good < size {
      try piece.fill(file, at: good, limit: size, path)
      if let count = piece.skipRecords(&good) {
        segment.records += count
        continue
      }
      // A record that would go beyond the end is torn; one without sense has others behind it, unless it is the last.
      if piece.isTorn { break }
      guard let next = try next(file.number, from: good, upTo: size, path) else { break }
      good = next
    }
    if good < size, isLast {
      guard ftruncate(file.number, good) == 0 else { throw SystemCallError("cut the torn tail", path) }
      segment.size = good
      return (segment, size - good)
    }
    return (segment, 0)
  }

  /// The first good record behind the bad one at an offset; nil when there is none.
  static func next(_ file: Int32, from start: Int, upTo end: Int, _ path: String) throws(SystemCallError)
    -> Int?
  {
    var count = SpoolFormat.recoveryBytes
    let header = try bytes(file, at: start, min(SpoolFormat.recordHeaderBytes, end - start), path)
    if case .incomplete(let needed) = header.withUnsafeBytes({ SpoolFormat.record(at: 0, in: $0) }) {
      // As much as shows whether its length is right.
      count = max(count, min(needed + (1 << 16), end - start))
    }
    var offset = start
    while offset < end {
      let piece = try bytes(file, at: offset, min(count, end - offset), path)
      guard !piece.isEmpty else { return nil }
      if let found = piece.withUnsafeBytes({ SpoolFormat.recovery(from: 0, in: $0) }) {
        return offset + found
      }
      // A record may begin in this half and end in the next.
      offset += offset + piece.count < end ? max(1, piece.count / 2) : piece.count
    }
    return nil
  }

  static func bytes(_ file: Int32, at offset: Int, _ count: Int, _ path: String) throws(SystemCallError)
    -> [UInt8]
  {
    var bytes = [UInt8](repeating: 0, count: count)
    let got = try bytes.withMutableBytes { target throws(SystemCallError) -> Int in
      guard let base = target.baseAddress else { return 0 }
      return try FileDescriptor(borrowing: file).read(at: offset, into: base, count: count, subject: path)
    }
    if got < count { bytes.removeLast(count - got) }
    return bytes
  }
}

/// A piece of a segment in memory.
struct SpoolPiece: ~Copyable {
  private(set) var bytes: [UInt8] = []
  /// Where in the segment it begins.
  private(set) var start = 0
  private var needed = 256 << 10
  private var isAtEnd = false
  /// Whether what the last ``skipRecords(_:)`` stopped at is cut off by the end of the file.
  private(set) var isTorn = false

  mutating func fill(_ file: borrowing FileDescriptor, at offset: Int, limit: Int, _ path: String)
    throws(SystemCallError)
  {
    start = offset
    let count = max(0, min(needed, limit - offset))
    // A file that is shorter than its header ends before the offset.
    isAtEnd = count >= limit - offset
    if bytes.count != count { bytes = [UInt8](repeating: 0, count: count) }
    let got = try bytes.withMutableBytes { target throws(SystemCallError) -> Int in
      guard let base = target.baseAddress, count > 0 else { return 0 }
      return try file.read(at: offset, into: base, count: count, subject: path)
    }
    if got < count { bytes.removeLast(count - got) }
    needed = 256 << 10
  }

  /// Passes over the whole records of this piece; nil when there is none, and none can be had by filling further.
  mutating func skipRecords(_ offset: inout Int) -> Int? {
    var count = 0
    var incomplete: Int?
    isTorn = false
    bytes.withUnsafeBytes { bytes in
      while incomplete == nil {
        switch SpoolFormat.record(at: offset - start, in: bytes) {
        case .good(_, let end), .damaged(let end):
          // A damaged last record is a torn one.
          if isAtEnd, end == bytes.count, case .damaged = SpoolFormat.record(at: offset - start, in: bytes) {
            incomplete = 0
            isTorn = true
            break
          }
          offset = start + end
          count += 1
        case .incomplete(let more):
          incomplete = more
          isTorn = isAtEnd
        case .senseless: incomplete = 0
        }
      }
    }
    if count > 0 { return count }
    guard let more = incomplete, more > bytes.count, !isAtEnd else { return nil }
    needed = more
    return 0
  }
}
