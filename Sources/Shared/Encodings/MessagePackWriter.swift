import Bytes

/// A destination for MessagePack, byte by byte.
public protocol MessagePackSink: ~Copyable {
  mutating func put(_ byte: UInt8)
}

extension ByteWriter: MessagePackSink {}
extension OutputBuffer.Cursor: MessagePackSink {}

/// MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), each value in its shortest form. For texts,
/// binary data, arrays and maps only the header is written here; the content that it announces must follow.
extension MessagePackSink where Self: ~Copyable {
  @inlinable @inline(__always)
  public mutating func putNil() { put(MessagePackCode.null) }

  @inlinable @inline(__always)
  public mutating func put(msgpack value: Bool) {
    put(value ? MessagePackCode.yes : MessagePackCode.no)
  }

  @inlinable @inline(__always)
  public mutating func put(msgpack value: Int64) {
    if value >= 0 { return put(msgpack: UInt64(value)) }
    if value >= -32 { return put(UInt8(truncatingIfNeeded: value)) }
    if let small = Int8(exactly: value) {
      put(MessagePackCode.int8)
      put(UInt8(bitPattern: small))
    } else if let small = Int16(exactly: value) {
      put(MessagePackCode.int16)
      putBig(UInt16(bitPattern: small))
    } else if let small = Int32(exactly: value) {
      put(MessagePackCode.int32)
      putBig(UInt32(bitPattern: small))
    } else {
      put(MessagePackCode.int64)
      putBig(UInt64(bitPattern: value))
    }
  }

  @inlinable @inline(__always)
  public mutating func put(msgpack value: UInt64) {
    if value < 0x80 {
      put(UInt8(truncatingIfNeeded: value))
    } else if let small = UInt8(exactly: value) {
      put(MessagePackCode.uint8)
      put(small)
    } else if let small = UInt16(exactly: value) {
      put(MessagePackCode.uint16)
      putBig(small)
    } else if let small = UInt32(exactly: value) {
      put(MessagePackCode.uint32)
      putBig(small)
    } else {
      put(MessagePackCode.uint64)
      putBig(value)
    }
  }

  @inlinable @inline(__always)
  public mutating func put(msgpack value: Double) {
    put(MessagePackCode.float64)
    putBig(value.bitPattern)
  }

  /// The header of a text with this many bytes of UTF-8.
  @inlinable @inline(__always)
  public mutating func put(stringOf count: Int) {
    if count < 32 { return put(MessagePackCode.fixString | UInt8(truncatingIfNeeded: count)) }
    putHead(count, MessagePackCode.string8)
  }

  /// The header of binary data with this many bytes.
  @inlinable @inline(__always)
  public mutating func put(binaryOf count: Int) { putHead(count, MessagePackCode.binary8) }

  /// The header of an array with this many values.
  @inlinable @inline(__always)
  public mutating func put(arrayOf count: Int) {
    if count < 16 { return put(MessagePackCode.fixArray | UInt8(truncatingIfNeeded: count)) }
    putWideHead(count, MessagePackCode.array16)
  }

  /// The header of a map with this many pairs.
  @inlinable @inline(__always)
  public mutating func put(mapOf count: Int) {
    if count < 16 { return put(MessagePackCode.fixMap | UInt8(truncatingIfNeeded: count)) }
    putWideHead(count, MessagePackCode.map16)
  }

  /// Fluentd's time with nanoseconds: extension type 0, eight bytes.
  @inlinable @inline(__always)
  public mutating func put(eventTime seconds: UInt32, nanoseconds: UInt32) {
    put(MessagePackCode.fixExtension8)
    put(0)
    putBig(seconds)
    putBig(nanoseconds)
  }

  /// A header with a length of one, two or four bytes, whose codes are consecutive.
  @inlinable
  internal mutating func putHead(_ count: Int, _ code: UInt8) {
    guard let small = UInt8(exactly: count) else { return putWideHead(count, code + 1) }
    put(code)
    put(small)
  }

  /// The same with two or four bytes.
  @inlinable
  internal mutating func putWideHead(_ count: Int, _ code: UInt8) {
    if let small = UInt16(exactly: count) {
      put(code)
      putBig(small)
    } else {
      put(code + 1)
      putBig(UInt32(clamping: count))
    }
  }

  @inlinable @inline(__always)
  internal mutating func putBig<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
    var shift = T.bitWidth
    while shift > 0 {
      shift -= 8
      put(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }
}

/// The first bytes of values, by the specification's table of formats.
public enum MessagePackCode {
  public static let fixMap: UInt8 = 0x80
  public static let fixArray: UInt8 = 0x90
  public static let fixString: UInt8 = 0xa0
  public static let null: UInt8 = 0xc0
  public static let no: UInt8 = 0xc2
  public static let yes: UInt8 = 0xc3
  /// The forms with longer lengths follow: 16 bits, 32 bits.
  public static let binary8: UInt8 = 0xc4
  public static let extension8: UInt8 = 0xc7
  public static let float32: UInt8 = 0xca
  public static let float64: UInt8 = 0xcb
  public static let uint8: UInt8 = 0xcc
  public static let uint16: UInt8 = 0xcd
  public static let uint32: UInt8 = 0xce
  public static let uint64: UInt8 = 0xcf
  public static let int8: UInt8 = 0xd0
  public static let int16: UInt8 = 0xd1
  public static let int32: UInt8 = 0xd2
  public static let int64: UInt8 = 0xd3
  /// Extensions of 1, 2, 4, 8 and 16 bytes.
  public static let fixExtension1: UInt8 = 0xd4
  public static let fixExtension8: UInt8 = 0xd7
  public static let string8: UInt8 = 0xd9
  public static let array16: UInt8 = 0xdc
  public static let map16: UInt8 = 0xde
  /// From here on, one byte is a negative number.
  public static let negative: UInt8 = 0xe0
}
