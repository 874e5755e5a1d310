import Bytes
import System

/// Finds where to go on after damage in a segment of version 1.
///
/// Its records have no secret, so a guest can write one into a payload, with the right checksum. To search for the next
/// good record would be to believe the guest. Only two things say where a record ends that the guest cannot forge: the
/// length that we wrote, and the structure of the payload, a message whose outermost fields we wrote. So reading
/// continues
///
/// - where the structure ends, if the checksum is right up to there: only the length was damaged;
/// - where the length says, if the structure says the same, or a good record or the end is there;
/// - else nowhere: the rest of the segment is given up, and its file is kept aside for a person to look at.
struct Version1Search {
  let reader: SegmentReader

  func gap(at offset: Int, upTo end: Int) throws(SystemCallError) -> SegmentGap {
    let header = SpoolFormat.recordHeaderBytes
    let head = try reader.file.bytes(at: offset, min(header, end - offset), reader.path)
    guard let said = head.withBytes({ SpoolFormat.RecordHeader(at: 0, in: $0) }) else {
      return SegmentGap(kind: .torn, range: offset..<end, records: 0)
    }
    let start = offset + header
    let structured = try ends(from: start, upTo: end)
    for stop in structured where ~(try reader.update(.max, from: start, upTo: stop)) == said.checksum {
      return SegmentGap(kind: .damage, range: offset..<stop, records: 1)
    }
    if said.isPlausible, start + said.length <= end {
      let stop = start + said.length
      let isCertain = stop == end || structured.contains(stop)
      var isGood = isCertain
      if !isGood { isGood = try self.isGood(at: stop, upTo: end) }
      if isGood {
        return SegmentGap(kind: .damage, range: offset..<stop, records: 1)
      }
    }
    let apparent = try countApparent(from: start, upTo: end)
    return said.isPlausible && start + said.length > end && apparent == 0
      ? SegmentGap(kind: .torn, range: offset..<end, records: 0)
      : SegmentGap(kind: .rest, range: offset..<end, records: 1 + apparent)
  }

  /// Where the payload can end by its structure: the resource (field 1), the spans (2), perhaps the schema (3).
  private func ends(from start: Int, upTo end: Int) throws(SystemCallError) -> [Int] {
    var ends: [Int] = []
    var offset = start
    var last: UInt8 = 0
    while ends.count < 2 {
      let head = try reader.file.bytes(at: offset, min(6, end - offset), reader.path)
      guard let tag = head.first, tag & 7 == 2, (1...3).contains(tag >> 3), tag >> 3 > last else { break }
      last = tag >> 3
      var length = 0
      var used = 1
      repeat {
        guard used < head.count else { return ends }
        length |= Int(head[used] & 0x7f) << (7 * (used - 1))
        used += 1
      } while head[used - 1] >= 0x80
      offset += used + length
      guard offset <= end else { break }
      if last >= 2 { ends.append(offset) }
    }
    return ends
  }

  private func isGood(at offset: Int, upTo end: Int) throws(SystemCallError) -> Bool {
    let header = SpoolFormat.recordHeaderBytes
    let head = try reader.file.bytes(at: offset, min(header, end - offset), reader.path)
    guard let said = head.withBytes({ SpoolFormat.RecordHeader(at: 0, in: $0) }), said.isPlausible,
      header + said.length <= end - offset
    else { return false }
    let start = offset + header
    return ~(try reader.update(.max, from: start, upTo: start + said.length)) == said.checksum
  }

  /// How many records seem to be in what is given up, to tell how much is lost. A guest can have it say more, never
  /// less than one. Work is bounded: a payload can be full of headers that promise large records.
  private func countApparent(from start: Int, upTo end: Int) throws(SystemCallError) -> Int {
    var allowance = 4 * (end - start) + (1 << 20)
    var count = 0
    var offset = start
    while offset + SpoolFormat.recordHeaderBytes < end, allowance > 0 {
      let bytes = try reader.file.bytes(at: offset, min(2 << 20, end - offset), reader.path)
      var place = 0
      bytes.withUnsafeBytes { bytes in
        while place + SpoolFormat.recordHeaderBytes < bytes.count, allowance > 0 {
          switch SpoolFormat.record(at: place, in: bytes) {
          case .good(_, let next):
            count += 1
            allowance -= next - place
            place = next
          case .damaged(let next):
            allowance -= next - place
            place += 1
          case .incomplete, .senseless:
            allowance -= 1
            place += 1
          }
        }
      }
      offset += max(1, place)
    }
    return count
  }
}
