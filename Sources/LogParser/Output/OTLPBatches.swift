import Bytes

/// Splits a sequence of requests with one record each into batches that receivers accept: at most 512 records and 1
/// MiB, or a single larger record.
struct OTLPBatches: Sequence, IteratorProtocol {
  static let recordLimit = 512
  static let byteLimit = 1 << 20

  private let bytes: UnsafeRawBufferPointer
  private var reader: ByteReader

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    reader = ByteReader(bytes)
  }

  mutating func next() -> UnsafeRawBufferPointer? {
    let start = reader.position
    var end = start
    var records = 0
    while records < Self.recordLimit, !reader.isAtEnd, Self.skip(&reader) {
      if records > 0, reader.position - start > Self.byteLimit {
        reader = ByteReader(bytes, from: end, count: bytes.count - end)
        break
      }
      end = reader.position
      records += 1
    }
    return end > start ? bytes.part(start..<end) : nil
  }

  /// Skips a record: its tag, its length and its bytes.
  private static func skip(_ reader: inout ByteReader) -> Bool {
    do throws(CodecError) {
      _ = try reader.byte()
      _ = try reader.skip(try reader.varint())
      return true
    } catch {
      return false
    }
  }
}
