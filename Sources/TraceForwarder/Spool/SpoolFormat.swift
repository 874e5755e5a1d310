import Bytes
import Glibc

/// A place in the spool: a segment and an offset in its file.
package struct SpoolPosition: Comparable, Sendable, CustomStringConvertible {
  package var segment: UInt64
  package var offset: Int

  package init(segment: UInt64, offset: Int) {
    self.segment = segment
    self.offset = offset
  }

  package static func < (a: SpoolPosition, b: SpoolPosition) -> Bool {
    a.segment != b.segment ? a.segment < b.segment : a.offset < b.offset
  }

  package var description: String { "\(segment) \(offset)" }

  /// Reads what ``description`` wrote.
  package init?(_ text: String) {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == 2, let segment = UInt64(parts[0]), segment <= SpoolFormat.highestSegment,
      let offset = Int(parts[1]), offset >= 0
    else { return nil }
    self.init(segment: segment, offset: offset)
  }
}

/// The files of the spool. See `formats/spool`.
///
/// A segment is a header of 16 bytes (`KATASPL1` and eight zeros) and records: the length of the payload and its
/// CRC-32C, four bytes each, little-endian, and the payload, one OTLP `ResourceSpans` message with one span.
package enum SpoolFormat {
  package static let magic = Array("KATASPL1".utf8) + [UInt8](repeating: 0, count: 8)
  package static let headerBytes = 16
  package static let recordHeaderBytes = 8
  /// A payload is never larger: OTLP takes at most a few times what the largest accepted frame takes.
  package static let maximumPayload = 64 << 20

  /// Segments are counted on from the highest number that a file says, which must leave room.
  package static let highestSegment = UInt64.max / 2

  package static func fileName(_ segment: UInt64) -> String {
    let digits = String(segment)
    return String(repeating: "0", count: 20 - digits.count) + digits + ".spool"
  }

  static func segment(fileName: String) -> UInt64? {
    guard fileName.hasSuffix(".spool"), fileName.utf8.count == 26 else { return nil }
    let digits = fileName.dropLast(6)
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(digits),
      number <= highestSegment
    else { return nil }
    return number
  }

  /// Appends a record.
  package static func append(_ payload: UnsafeRawBufferPointer, to out: inout ByteWriter) {
    out.little(UInt32(truncatingIfNeeded: payload.count))
    out.little(CRC32C.checksum(payload))
    out.put(payload)
  }

  /// What is at an offset of a piece of a segment.
  package enum Record {
    /// A payload and the offset behind it.
    case good(UnsafeRawBufferPointer, end: Int)
    /// A record whose checksum is not that of its payload.
    case damaged(end: Int)
    /// The piece ends before the record does, which needs this many bytes.
    case incomplete(needed: Int)
    /// No record can be here: the length makes no sense.
    case senseless
  }

  package static func record(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Record {
    let left = bytes.count - offset
    guard left >= recordHeaderBytes else { return .incomplete(needed: recordHeaderBytes) }
    let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    guard length > 0, length <= maximumPayload else { return .senseless }
    guard left >= recordHeaderBytes + length else { return .incomplete(needed: recordHeaderBytes + length) }
    let start = offset + recordHeaderBytes
    let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
    let checksum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
    return CRC32C.checksum(payload) == checksum
      ? .good(payload, end: start + length) : .damaged(end: start + length)
  }

  /// Bytes among which ``recovery(from:in:)`` looks at once.
  static let recoveryBytes = 2 << 20

  /// Where to go on behind a record that is damaged or makes no sense: the first offset of a good one; nil when these
  /// bytes have none. The record's own length is believed first, so that what its payload holds is not taken for records.
  static func recovery(from offset: Int, in bytes: UnsafeRawBufferPointer) -> Int? {
    if case .damaged(let end) = record(at: offset, in: bytes) {
      if end == bytes.count { return end }
      if case .good = record(at: end, in: bytes) { return end }
    }
    var candidate = offset + 1
    while candidate + recordHeaderBytes < bytes.count {
      if isPlausible(candidate, in: bytes), case .good = record(at: candidate, in: bytes) { return candidate }
      candidate += 1
    }
    return nil
  }

  /// Whether a record at an offset would be followed by another or by the end; spares most checksums.
  private static func isPlausible(_ offset: Int, in bytes: UnsafeRawBufferPointer) -> Bool {
    func length(_ offset: Int) -> Int {
      Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
    let count = length(offset)
    let end = offset + recordHeaderBytes + count
    guard count > 0, count <= maximumPayload, end <= bytes.count else { return false }
    return end + recordHeaderBytes > bytes.count || (1...maximumPayload).contains(length(end))
  }
}
