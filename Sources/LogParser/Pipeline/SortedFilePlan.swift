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
      guard let used = scan.scan(bytes, got, isLast: offset + got >= size), used > 0, scan.previousTime != nil
      else { return nil }
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
    /// The time of the last line: as it is written where that form is fixed, else read.
    private var lastStamp: FixedStamp?
    private var lastTime: Timestamp?
    private(set) var lines: UInt64 = 0

    /// The time of the last line that was looked at; nil before the first, and when it is no time.
    var previousTime: Timestamp? { lastStamp.map(\.time) ?? lastTime }

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
        guard line.count <= lineLimit, isInOrder(line, saysTimeAgain) else { return nil }
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
      var p = start
      while p < end {
        // Two blocks at once while none of them has anything; the second may lie behind the end, in the padding.
        let first = marks(p)
        let second = end - p > 16 ? marks(p + 16) : ByteScanner.Mask(repeating: false)
        if !ByteScanner.isAnySet(first .| second) {
          p += 32
          continue
        }
        let lane = ByteScanner.firstLane(first)
        p += lane < 16 ? lane : 16 + ByteScanner.firstLane(second)
        if p >= end { return end }
        if p.pointee == 0x0a { return p }
        if end - p >= 5, memcmp(p, "time=", 5) == 0 { saysTimeAgain = true }
        p += 1
      }
      return end
    }

    /// Line ends, and every `t` that has a `=` four bytes on.
    @inline(__always)
    private static func marks(_ p: UnsafePointer<UInt8>) -> ByteScanner.Mask {
      typealias Lanes = ByteScanner.Lanes
      let v = ByteScanner.load(p)
      return (v .== Lanes(repeating: 0x0a))
        .| ((v .== Lanes(repeating: 0x74)) .& (ByteScanner.load(p + 4) .== Lanes(repeating: 0x3d)))
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
      let before = previousTime
      guard let time = time(of: line, saysTimeAgain) else { return false }
      lastStamp = saysTimeAgain ? nil : stamp
      lastTime = time
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
      var end = 26
      while end < min(line.count, 48), line[end] != 0x22 { end += 1 }
      return Timestamp.parse(
        rfc3339: UnsafeBufferPointer(start: line.base + 6, count: end - 6), fraction: .required)
    }
  }

  /// A time of the common form `time="YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ"`, which is compared as it is written. Whether its
  /// digits are digits is found out when the line is read.
  private struct FixedStamp {
    private let words: SIMD4<UInt64>

    @inline(__always)
    init?(_ line: ByteSlice) {
      guard line.count > 36, line[35] == 0x5a, line[36] == 0x22, line[25] == 0x2e, line[16] == 0x54,
        line.hasPrefix("time=\"")
      else { return nil }
      words = UnsafeRawPointer(line.base + 6).loadUnaligned(as: SIMD4<UInt64>.self)
    }

    @inline(__always)
    func precedes(_ other: FixedStamp) -> Bool {
      for index in 0..<4 where words[index] != other.words[index] {
        return UInt64(bigEndian: words[index]) < UInt64(bigEndian: other.words[index])
      }
      return false
    }

    var time: Timestamp? {
      withUnsafeBytes(of: words) { bytes in
        bytes.withMemoryRebound(to: UInt8.self) {
          Timestamp.parse(rfc3339: UnsafeBufferPointer(rebasing: $0[..<30]), fraction: .required)
        }
      }
    }
  }
}
