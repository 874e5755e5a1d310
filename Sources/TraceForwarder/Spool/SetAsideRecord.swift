import Bytes

/// A span that was set aside: the payload of a record in the files of ``SetAside``, a protobuf message of its own.
struct SetAsideRecord: Equatable {
  /// Nanoseconds since 1970.
  var time: UInt64 = 0
  var exporter = ""
  var status = 0
  var reason = ""
  /// Where in the payload the `ResourceSpans` message is.
  var span: Range<Int> = 0..<0

  /// Of a collector's words no more is kept.
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

  /// Nil when the bytes are no such message. Unknown fields are passed over: a later version may add some.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var offset = 0
    while offset < bytes.count {
      guard let tag = Self.varint(bytes, &offset) else { return nil }
      switch tag & 7 {
      case 0:
        guard let value = Self.varint(bytes, &offset) else { return nil }
        if tag >> 3 == 3 { status = Int(clamping: value) }
      case 1:
        guard bytes.count - offset >= 8 else { return nil }
        if tag >> 3 == 1 {
          time = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        offset += 8
      case 2:
        guard let length = Self.varint(bytes, &offset), length <= UInt64(bytes.count - offset) else {
          return nil
        }
        let range = offset..<offset + Int(length)
        offset = range.upperBound
        switch tag >> 3 {
        case 2: exporter = String(decoding: bytes[range], as: UTF8.self)
        case 4: reason = String(decoding: bytes[range], as: UTF8.self)
        case 5: span = range
        default: break
        }
      default: return nil
      }
    }
    if span.isEmpty { return nil }
  }

  init(time: UInt64, exporter: String, status: Int, reason: String) {
    self.time = time
    self.exporter = exporter
    self.status = status
    self.reason = reason
  }

  private static func varint(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard offset < bytes.count else { return nil }
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}
