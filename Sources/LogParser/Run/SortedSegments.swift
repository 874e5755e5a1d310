import Bytes
import Glibc
import System

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
  /// What one thread looks through at a time.
  private static let rangeSize = 4 << 20

  /// Looks through a file of `size` bytes; nil when it is not all lines that begin with a time, in order.
  package init?(
    _ file: borrowing FileDescriptor, size: Int, subject: String, lineLimit: Int, reader: LogfmtRecord,
    threads: Int
  ) {
    let number = file.number
    var next = 0
    var lines: UInt64 = 0
    var lastTime: Timestamp?
    var isSorted = size > 0
    var found: [Segment] = []
    OrderedWork.run(
      threads: min(threads, size / Self.rangeSize),
      nextJob: {
        guard next < size else { return nil as Range<Int>? }
        defer { next = min(size, next + Self.rangeSize) }
        return next..<min(size, next + Self.rangeSize)
      },
      makeWorker: {
        FileScan(
          file: FileDescriptor(borrowing: number), size: size, subject: subject, lineLimit: lineLimit,
          reader: reader)
      },
      perform: { range, scan, _ in scan.look(through: range) },
      consume: { part, _ in
        var isInOrder = part != nil
        if let first = part?.firstTime, let lastTime, first < lastTime { isInOrder = false }
        guard let part, isInOrder else {
          isSorted = false
          return false
        }
        for segment in part.segments {
          var segment = segment
          segment.firstLine += lines
          segment.previousTime = segment.previousTime ?? lastTime
          found.append(segment)
        }
        lines += part.lines
        lastTime = part.lastTime ?? lastTime
        return true
      })
    guard isSorted else { return nil }
    segments = found
  }

  /// What was found in one range of the file: the lines that begin in it.
  private struct Part {
    var segments: [Segment] = []
    var lines: UInt64 = 0
    var firstTime: Timestamp?
    var lastTime: Timestamp?
  }

  /// One thread's look through ranges of the file.
  private struct FileScan: ~Copyable {
    let file: FileDescriptor
    let size: Int
    let subject: String
    let lineLimit: Int
    let reader: LogfmtRecord
    private let bytes: UnsafeMutablePointer<UInt8>

    init(file: consuming FileDescriptor, size: Int, subject: String, lineLimit: Int, reader: LogfmtRecord) {
      self.file = file
      self.size = size
      self.subject = subject
      self.lineLimit = min(lineLimit, segmentSize - 1)
      self.reader = reader
      // A look at 64 bytes and at those four bytes on may begin at the last byte.
      let padding = 2 * ByteSlice.padding
      bytes = UnsafeMutableRawPointer.allocate(byteCount: segmentSize + padding, alignment: 4096)
        .bindMemory(to: UInt8.self, capacity: segmentSize + padding)
      (bytes + segmentSize).initialize(repeating: 0, count: padding)
    }

    deinit { UnsafeMutableRawPointer(bytes).deallocate() }

    /// Fills the buffer from `offset` on and returns how many bytes it then holds, at least one.
    private func read(at offset: Int, atMost limit: Int = segmentSize) -> Int? {
      let got = try? file.read(at: offset, into: bytes, count: min(limit, size - offset), subject: subject)
      return got == 0 ? nil : got
    }

    /// Where the first line begins that begins at `offset` or behind it; nil when none does within a line's limit.
    private func lineStart(from offset: Int) -> Int? {
      // The line that the place is in belongs to what is before it, unless it begins right there.
      for limit in [8 << 10, segmentSize] {
        guard offset > 0, let got = read(at: offset - 1, atMost: limit) else { break }
        if let end = ByteSlice(base: bytes, count: got, isPlain: false).firstIndex(of: 0x0a) {
          return offset + end
        }
        if offset - 1 + got == size { return size }
      }
      return offset == 0 ? 0 : nil
    }

    /// Checks the lines that begin in `range`; nil when one of them is not in order.
    mutating func look(through range: Range<Int>) -> Part? {
      var part = Part()
      guard var offset = lineStart(from: range.lowerBound) else { return nil }
      var scan = Scan(reader: reader, lineLimit: lineLimit)
      while offset < range.upperBound {
        guard let got = read(at: offset) else { return nil }
        let before = scan.previousTime
        let firstLine = scan.lines + 1
        guard
          let used = scan.scan(bytes, got, before: range.upperBound - offset, isLast: offset + got >= size),
          used > 0, let last = scan.previousTime
        else { return nil }
        part.segments.append(Segment(offset: offset, count: used, firstLine: firstLine, previousTime: before))
        part.lastTime = last
        offset += used
      }
      part.lines = scan.lines
      part.firstTime = scan.firstTime
      return part
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
    /// The time of the first line.
    private(set) var firstTime: Timestamp?

    /// The time of the last line that was looked at; nil before the first, and when it is no time.
    var previousTime: Timestamp? { lastStamp.map(\.time) ?? lastTime }

    init(reader: LogfmtRecord, lineLimit: Int) {
      self.reader = reader
      self.lineLimit = lineLimit
    }

    /// Checks the whole lines of a block that begin before a place in it, and returns how many bytes they take; nil when
    /// one is not in order.
    mutating func scan(
      _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, before place: Int, isLast: Bool
    ) -> Int? {
      let end = UnsafePointer(bytes) + count
      let limit = UnsafePointer(bytes) + min(count, place)
      var start = UnsafePointer(bytes)
      while start < limit {
        // The first six bytes are `time="` in every line that counts. What is read behind the end is padding.
        let found = ByteScanner.lineEnd(from: start + min(6, end - start), to: end)
        let stop = start.pointee == 0x0a ? start : found.end
        if stop == end, !isLast { return start - UnsafePointer(bytes) }
        let line = ByteSlice(base: start, count: stop - start, isPlain: false)
        guard line.count <= lineLimit, isInOrder(line, found.hasTime) else { return nil }
        lines += 1
        if lines == 1 { firstTime = previousTime }
        start = stop + 1
      }
      return min(start, end) - UnsafePointer(bytes)
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
      // `time="` as the first six bytes of a number.
      guard line.count > 36, line[35] == 0x5a, line[36] == 0x22, line[25] == 0x2e, line[16] == 0x54,
        UInt64(littleEndian: UnsafeRawPointer(line.base).loadUnaligned(as: UInt64.self)) & 0xffff_ffff_ffff
          == 0x223d_656d_6974
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
