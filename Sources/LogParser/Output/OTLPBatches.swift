import Bytes

/// Cuts requests of one record each, one behind the other, into batches that receivers take: 512 records or 1 MiB at most,
/// or one record that is larger.
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

  /// Passes over a record: its tag, its length and what the length says.
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
