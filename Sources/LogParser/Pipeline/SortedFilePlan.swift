import Basics
import Glibc

/// A first look at a regular file: whether every line begins with a time, and whether they are in order.
///
/// It costs little more than counting lines. When the answer is yes the file is formatted as it is read, in constant
/// memory and in pieces that need not wait for each other; otherwise its records go through the ``RecordSpool``.
package struct SortedFilePlan {
  /// A piece of the file that begins and ends with a line, and what its first record must know.
  package struct Segment: Sendable {
    package var offset: Int
    package var count: Int
    /// The number of its first line, from 1.
    package var firstLine: UInt64
    /// The time of the line before, or nil for the first.
    package var previousTime: Timestamp?
  }

  package private(set) var segments: [Segment] = []
  /// Pieces of about this many bytes: small enough for a core's own cache, large enough to hide a system call.
  package static let segmentSize = 256 << 10

  /// Looks through a file of `size` bytes; nil when it is not all lines that begin with a time, in order.
  package init?(
    _ file: borrowing FileDescriptor, size: Int, subject: String, lineLimit: Int, reader: LogfmtRecord
  ) {
    let capacity = Self.segmentSize
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity + ByteSlice.padding, alignment: 4096)
    defer { buffer.deallocate() }
    let bytes = buffer.bindMemory(to: UInt8.self, capacity: capacity + ByteSlice.padding)
    (bytes + capacity).initialize(repeating: 0, count: ByteSlice.padding)
    var scan = Scan(reader: reader, lineLimit: min(lineLimit, capacity - 1))
    var offset = 0
    while offset < size {
      guard
        let got = try? file.read(
          at: offset, into: buffer, count: min(capacity, size - offset), subject: subject), got > 0
      else { return nil }
      let before = scan.previousTime
      let firstLine = scan.lines + 1
      guard let used = scan.scan(bytes, got, isLast: offset + got >= size), used > 0 else { return nil }
      segments.append(
        Segment(offset: offset, count: used, firstLine: firstLine, previousTime: before))
      offset += used
    }
  }

  /// The state of the look through the file.
  private struct Scan: ~Copyable {
    private let reader: LogfmtRecord
    private let lineLimit: Int
    private var record = Record()
    private(set) var previousTime: Timestamp?
    private(set) var lines: UInt64 = 0

    init(reader: LogfmtRecord, lineLimit: Int) {
      self.reader = reader
      self.lineLimit = lineLimit
    }

    /// Checks the whole lines of a block and returns how many bytes they take; nil when one is not in order.
    mutating func scan(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, isLast: Bool) -> Int? {
      let end = UnsafePointer(bytes) + count
      var start = UnsafePointer(bytes)
      while start < end {
        var saysTimeAgain = false
        // The first six bytes are `time="` in every line that counts.
        var stop = Self.lineEnd(start + min(6, end - start), end, &saysTimeAgain)
        if start.pointee == 0x0a { stop = start }
        if stop == end, !isLast { return start - UnsafePointer(bytes) }
        let line = ByteSlice(base: start, count: stop - start, isPlain: false)
        guard line.count <= lineLimit, let time = time(of: line, saysTimeAgain) else { return nil }
        if let previousTime, time < previousTime { return nil }
        previousTime = time
        lines += 1
        start = stop + 1
      }
      return count
    }

    /// The first line end from `start`, or `end`; tells whether `time=` occurs on the way.
    @inline(__always)
    private static func lineEnd(
      _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ saysTimeAgain: inout Bool
    ) -> UnsafePointer<UInt8> {
      typealias Lanes = ByteScanner.Lanes
      var p = start
      while p < end {
        let v = ByteScanner.load(p)
        let newline = v .== Lanes(repeating: 0x0a)
        let time = (v .== Lanes(repeating: 0x74)) .& (ByteScanner.load(p + 4) .== Lanes(repeating: 0x3d))
        let lane = ByteScanner.firstLane(newline .| time)
        if lane == 16 {
          p += 16
          continue
        }
        p += lane
        if p >= end { return end }
        if p.pointee == 0x0a { return p }
        if end - p >= 5, memcmp(p, "time=", 5) == 0 { saysTimeAgain = true }
        p += 1
      }
      return end
    }

    /// The time of the record on a line that begins with `time="`. A later `time=` may be a field that wins, or an
    /// agent's own record: only reading the line tells.
    @inline(__always)
    private mutating func time(of line: ByteSlice, _ saysTimeAgain: Bool) -> Timestamp? {
      guard line.count > 28, line.hasPrefix("time=\"") else { return nil }
      if saysTimeAgain {
        record.reset()
        record.line = lines + 1
        // What is wrong with the line is said when its turn comes.
        if (try? reader.parse(line, into: &record)) != nil { return record.time }
      }
      var end = 26
      while end < min(line.count, 48), line[end] != 0x22 { end += 1 }
      return Timestamp.parse(
        rfc3339: UnsafeBufferPointer(start: line.base + 6, count: end - 6), fraction: .required)
    }
  }
}
