import Bytes

/// A span that was set aside. In the files of ``SetAside`` it is the payload of a record: a protobuf message that is
/// specific to them.
struct SetAsideRecord: Equatable {
  /// Nanoseconds since 1970.
  var time: UInt64 = 0
  var exporter = ""
  var status = 0
  var reason = ""
  /// Where in the payload the `ResourceSpans` message is.
  var span: Range<Int> = 0..<0

  /// The maximum size of a collector's reason that is kept.
  static let maximumReason = 1000

  /// Appends the message.
  func encode(_ payload: UnsafeRawBufferPointer, to out: inout ByteWriter) {
    out.put(1 << 3 | 1)
    out.little(time)
    Self.put(2, Array(exporter.utf8), &out)
    out.put(3 << 3)
    out.varint(UInt64(clamping: status))
    Self.put(4, Array(String(decoding: reason.utf8.prefix(Self.maximumReason), as: UTF8.self).utf8), &out)
    out.put(5 << 3 | 2)
    out.varint(UInt64(payload.count))
    out.put(payload)
  }

  private static func put(_ field: UInt8, _ bytes: [UInt8], _ out: inout ByteWriter) {
    out.put(field << 3 | 2)
    out.varint(UInt64(bytes.count))
    out.put(bytes)
  }

  /// Nil if the bytes are not such a message. Unknown fields are skipped: a later version may add some.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = ByteReader(bytes)
    do throws(CodecError) {
      while !reader.isAtEnd { try take(from: &reader) }
    } catch {
      return nil
    }
    if span.isEmpty { return nil }
  }

  private mutating func take(from reader: inout ByteReader) throws(CodecError) {
    let tag = try reader.varint()
    switch tag & 7 {
    case 0:
      let value = try reader.varint()
      if tag >> 3 == 3 { status = Int(clamping: value) }
    case 1:
      let value = try reader.little(UInt64.self)
      if tag >> 3 == 1 { time = value }
    case 2:
      let count = try reader.varint()
      let start = try reader.skip(count)
      let range = start..<reader.position
      switch tag >> 3 {
      case 2: exporter = String(decoding: reader.bytes.part(clamping: range), as: UTF8.self)
      case 4: reason = String(decoding: reader.bytes.part(clamping: range), as: UTF8.self)
      case 5: span = range
      default: break
      }
    default: throw reader.failure(.tag)
    }
  }

  init(time: UInt64, exporter: String, status: Int, reason: String) {
    self.time = time
    self.exporter = exporter
    self.status = status
    self.reason = reason
  }
}
