import Bytes
import Glibc

/// A place in the spool: a segment and an offset in its file.
package struct SpoolPosition: Comparable, Hashable, Sendable, CustomStringConvertible {
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

  /// Reads what ``description`` wrote, which is all that a position's file of version 1 has.
  package init?(_ text: String) {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == 2 else { return nil }
    self.init(segment: parts[0], offset: parts[1])
  }

  init?(segment: Substring, offset: Substring) {
    guard let segment = UInt64(segment), segment <= SpoolFormat.highestSegment, let offset = Int(offset),
      offset >= 0
    else { return nil }
    self.init(segment: segment, offset: offset)
  }
}

/// What the versions of the spool's files have in common, and version 1 of a record. See `formats/spool`.
package enum SpoolFormat {
  /// The header of a segment of version 1.
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

  /// Appends a record of version 1, which no segment is given any more; the Jaeger file exporter keeps such.
  package static func append(_ payload: UnsafeRawBufferPointer, to out: inout ByteWriter) {
    out.little(UInt32(truncatingIfNeeded: payload.count))
    out.little(CRC32C.checksum(payload))
    out.put(payload)
  }

  /// What is at an offset of a piece of a segment.
  package enum Record {
    /// A payload and the offset after it.
    case good(UnsafeRawBufferPointer, end: Int)
    /// A record whose checksum is not that of its payload.
    case damaged(end: Int)
    /// The piece ends before the record does, which needs this many bytes.
    case incomplete(needed: Int)
    /// No record can be here: the length, or the marker, makes no sense.
    case senseless
  }

  /// A record of version 1.
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
}

/// How the records of a segment are framed, by the version of its file.
package enum SegmentFraming: Equatable, Sendable {
  case version1
  case version2(SpoolKey)

  package var headerBytes: Int {
    switch self {
    case .version1: SpoolFormat.headerBytes
    case .version2: SpoolHeader.bytes
    }
  }

  package var recordHeaderBytes: Int {
    switch self {
    case .version1: SpoolFormat.recordHeaderBytes
    case .version2: SpoolKey.recordHeaderBytes
    }
  }

  var version: Int {
    switch self {
    case .version1: 1
    case .version2: 2
    }
  }

  /// The record at an offset of a piece of a segment.
  package func record(at offset: Int, in bytes: UnsafeRawBufferPointer) -> SpoolFormat.Record {
    guard case .version2(let key) = self else { return SpoolFormat.record(at: offset, in: bytes) }
    let left = bytes.count - offset
    guard left >= SpoolKey.recordHeaderBytes else { return .incomplete(needed: SpoolKey.recordHeaderBytes) }
    let marker = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
    guard marker == key.marker, length > 0, length <= SpoolFormat.maximumPayload else { return .senseless }
    let start = offset + SpoolKey.recordHeaderBytes
    let end = start + Int(length)
    guard end <= bytes.count else { return .incomplete(needed: end - offset) }
    let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    let checksum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
    return key.checksum(length, payload) == checksum ? .good(payload, end: end) : .damaged(end: end)
  }
}
