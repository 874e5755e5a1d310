import Bytes
import CLinux
import Glibc
import System

/// Bytes of a segment that are not a record.
package struct SegmentGap: Equatable, Sendable {
  package enum Kind: String, Sendable {
    /// Damage: what was here is lost.
    case damage
    /// The last record, without its end: the machine stopped while it was written, or the file was cut.
    case torn
    /// The rest of a segment of version 1, in which no record can be told from one of a guest's making.
    case rest
  }

  package var kind: Kind
  package var range: Range<Int>
  /// How many records are lost, as far as that can be known.
  package var records: Int
}

/// What is next in a segment.
enum SegmentItem {
  case records(SpoolBatch)
  case gap(SegmentGap)
  case end
}

/// Reads the records of one segment's file, of any version, and finds the next one after damage.
///
/// In version 2 the search looks for the marker, in linear time; each step skips at most one marker, so
/// that each gap is one record that is lost. Version 1 has no secret: see ``Version1Search``.
struct SegmentReader {
  let file: OpenFile
  let segment: UInt64
  let framing: SegmentFraming
  /// For messages.
  let path: String

  /// Bytes that are looked at together in a search, and above which a record is not read on the word of its length
  /// alone.
  static let windowBytes = 256 << 10

  /// The records from an offset on, at most this many and, but for a single larger one, this many bytes.
  func next(at offset: Int, upTo end: Int, records limit: Int, bytes size: Int) throws(SystemCallError)
    -> SegmentItem
  {
    guard offset < end else { return .end }
    var wanted = min(max(size, framing.recordHeaderBytes), end - offset)
    while true {
      let start = SpoolPosition(segment: segment, offset: offset)
      var batch = SpoolBatch(start: start, end: start)
      batch.bytes = try file.bytes(at: offset, wanted, path)
      // The file is shorter than it was: what is gone was damaged, if it was records.
      guard !batch.bytes.isEmpty else {
        return .gap(SegmentGap(kind: .damage, range: offset..<end, records: 1))
      }
      let (after, needed) = find(&batch, limit)
      if !batch.payloads.isEmpty {
        batch.end.offset = offset + after
        return .records(batch)
      }
      if let needed, needed > wanted, needed <= end - offset, batch.bytes.count == wanted,
        try isWorthReading(needed, at: offset)
      {
        wanted = needed
        continue
      }
      return .gap(try gap(at: offset, upTo: end))
    }
  }

  /// Finds the records in a batch's bytes: the offset after the last, and how many bytes a first one needs that is cut
  /// off.
  private func find(_ batch: inout SpoolBatch, _ limit: Int) -> (after: Int, needed: Int?) {
    var offset = 0
    var needed: Int?
    var payloads: [Range<Int>] = []
    batch.bytes.withUnsafeBytes { bytes in
      scan: while payloads.count < limit, offset < bytes.count {
        switch framing.record(at: offset, in: bytes) {
        case .good(let payload, let end):
          payloads.append(end - payload.count..<end)
          offset = end
        case .incomplete(let more):
          needed = more
          break scan
        case .damaged, .senseless: break scan
        }
      }
    }
    batch.payloads = payloads
    batch.recordHeaderBytes = framing.recordHeaderBytes
    return (offset, needed)
  }

  /// Whether one record can have this size. A damaged length must not allocate megabytes.
  private func isWorthReading(_ count: Int, at offset: Int) throws(SystemCallError) -> Bool {
    guard count > Self.windowBytes, case .version2(let key) = framing else { return true }
    return try find(key, from: offset + SpoolKey.recordHeaderBytes, upTo: offset + count) == nil
  }

  // MARK: Damage

  /// What is at an offset at which no good record is.
  private func gap(at offset: Int, upTo end: Int) throws(SystemCallError) -> SegmentGap {
    guard case .version2(let key) = framing else {
      return try Version1Search(reader: self).gap(at: offset, upTo: end)
    }
    if let next = try find(key, from: offset + 1, upTo: end) {
      return SegmentGap(kind: .damage, range: offset..<next, records: 1)
    }
    return try isTorn(key, offset, end)
      ? SegmentGap(kind: .torn, range: offset..<end, records: 0)
      : SegmentGap(kind: .damage, range: offset..<end, records: 1)
  }

  /// The next place of the marker.
  private func find(_ key: SpoolKey, from start: Int, upTo end: Int) throws(SystemCallError) -> Int? {
    var offset = start
    while offset + 8 <= end {
      let bytes = try file.bytes(at: offset, min(Self.windowBytes, end - offset), path)
      guard bytes.count >= 8 else { return nil }
      if let found = bytes.withBytes({ $0.firstOffset(ofLittle: key.marker) }) { return offset + found }
      // The marker may begin in this window and end in the next.
      offset += bytes.count - 7
    }
    return nil
  }

  /// Whether the end of a segment is the beginning of a record that was not written whole, and nothing worse: the
  /// marker is right, and the length says more than there is, which a whole record with a damaged length does as well;
  /// but that one's checksum is right for the length that it has.
  private func isTorn(_ key: SpoolKey, _ offset: Int, _ end: Int) throws(SystemCallError) -> Bool {
    let head = try file.bytes(at: offset, min(16, end - offset), path)
    guard key.marker.littleBytes.starts(with: head.prefix(8)) else { return false }
    guard let header = head.withBytes({ SpoolKey.RecordHeader(at: 0, in: $0) }) else { return true }
    let rest = end - offset - head.count
    guard header.isPlausible, Int(header.length) > rest else { return false }
    let state = CRC32C.update(key.seed, little: UInt32(truncatingIfNeeded: rest))
    return ~(try update(state, from: offset + head.count, upTo: end)) != header.checksum
  }

  /// Takes a part of the file into a checksum, piece by piece.
  func update(_ state: UInt32, from start: Int, upTo end: Int) throws(SystemCallError) -> UInt32 {
    var state = state
    var offset = start
    while offset < end {
      let bytes = try file.bytes(at: offset, min(Self.windowBytes, end - offset), path)
      guard !bytes.isEmpty else { break }
      state = bytes.withUnsafeBytes { CRC32C.update(state, $0) }
      offset += bytes.count
    }
    return state
  }

  /// How many records are good in a part of the segment, and which bytes are not records.
  func survey(from start: Int, upTo end: Int) throws(SystemCallError) -> SegmentSurvey {
    var result = SegmentSurvey()
    var offset = start
    while true {
      switch try next(at: offset, upTo: end, records: .max, bytes: Self.windowBytes) {
      case .end: return result
      case .records(let batch):
        result.records += batch.payloads.count
        offset = batch.end.offset
      case .gap(let gap):
        result.add(gap)
        offset = gap.range.upperBound
      }
    }
  }
}

/// What a part of a segment holds.
struct SegmentSurvey {
  private static let maximumGaps = 1000

  var records = 0
  /// The first gaps.
  private(set) var gaps: [SegmentGap] = []
  private(set) var lost = 0
  private(set) var tornBytes = 0
  var isDamaged: Bool { lost > 0 }

  mutating func add(_ gap: SegmentGap) {
    lost += gap.records
    if gap.kind == .torn { tornBytes += gap.range.count }
    if gaps.count < Self.maximumGaps { gaps.append(gap) }
  }
}
