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

  /// What precedes a payload in a record of version 1.
  struct RecordHeader {
    /// Bytes of the payload; not checked.
    var length: Int
    /// The CRC-32C of the payload.
    var checksum: UInt32

    /// Nil when the bytes end before the header does.
    init?(at offset: Int, in bytes: UnsafeRawBufferPointer) {
      guard let length = bytes.little(UInt32.self, at: offset),
        let checksum = bytes.little(UInt32.self, at: offset + 4)
      else { return nil }
      self.length = Int(length)
      self.checksum = checksum
    }

    /// Whether a payload can have the length.
    var isPlausible: Bool { length > 0 && length <= maximumPayload }
  }

  /// A record of version 1.
  package static func record(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Record {
    guard let header = RecordHeader(at: offset, in: bytes) else {
      return .incomplete(needed: recordHeaderBytes)
    }
    guard header.isPlausible else { return .senseless }
    let start = offset + recordHeaderBytes
    let end = start + header.length
    guard end <= bytes.count else { return .incomplete(needed: end - offset) }
    let payload = bytes.part(clamping: start..<end)
    return CRC32C.checksum(payload) == header.checksum ? .good(payload, end: end) : .damaged(end: end)
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
    guard let header = SpoolKey.RecordHeader(at: offset, in: bytes) else {
      return .incomplete(needed: SpoolKey.recordHeaderBytes)
    }
    guard header.marker == key.marker, header.isPlausible else { return .senseless }
    let start = offset + SpoolKey.recordHeaderBytes
    let end = start + Int(header.length)
    guard end <= bytes.count else { return .incomplete(needed: end - offset) }
    let payload = bytes.part(clamping: start..<end)
    return key.checksum(header.length, payload) == header.checksum
      ? .good(payload, end: end) : .damaged(end: end)
  }
}
