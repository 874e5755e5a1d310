import Bytes

/// The two protocols of Jaeger's Thrift structures. Sources: Apache Thrift's "Thrift Binary protocol
/// encoding" and "Thrift Compact protocol encoding"; see `formats/jaeger-thrift`.
public enum ThriftProtocol: Sendable {
  /// Over HTTP.
  case binary
  /// Over UDP.
  case compact
}

/// Types of fields and elements, with the binary protocol's numbers.
public enum ThriftType: UInt8 {
  case bool = 2
  case byte = 3
  case double = 4
  case i16 = 6
  case i32 = 8
  case i64 = 10
  case string = 11
  case `struct` = 12
  case map = 13
  case set = 14
  case list = 15

  /// The number in the compact protocol; for a Boolean field it encodes the value instead.
  @inlinable public var compact: UInt8 {
    switch self {
    case .bool: 1
    case .byte: 3
    case .i16: 4
    case .i32: 5
    case .i64: 6
    case .double: 7
    case .string: 8
    case .list: 9
    case .set: 10
    case .map: 11
    case .struct: 12
    }
  }
}

/// Writes Thrift structures, field by field in rising order of their numbers.
public struct ThriftWriter: ~Copyable {
  public let format: ThriftProtocol
  public var out: ByteWriter
  /// The last field's number in this structure and in those around it, which the compact protocol counts from.
  @usableFromInline internal var last: Int16 = 0
  @usableFromInline internal var outer: [Int16] = []

  @inlinable public init(_ format: ThriftProtocol, _ out: consuming ByteWriter) {
    self.format = format
    self.out = out
  }

  @inlinable public consuming func finish() -> ByteWriter { out }

  @inlinable public mutating func beginStruct() {
    outer.append(last)
    last = 0
  }

  @inlinable public mutating func endStruct() {
    out.put(0)
    last = outer.popLast() ?? 0
  }

  @inlinable public mutating func field(_ number: Int16, _ type: ThriftType) {
    header(number, type.rawValue, type.compact)
  }

  @inlinable internal mutating func header(_ number: Int16, _ binary: UInt8, _ compact: UInt8) {
    switch format {
    case .binary:
      out.put(binary)
      out.big(number)
    case .compact:
      let delta = number - last
      if (1...15).contains(delta) {
        out.put(UInt8(delta) << 4 | compact)
      } else {
        out.put(compact)
        zigzag(Int64(number))
      }
    }
    last = number
  }

  @inlinable public mutating func bool(_ number: Int16, _ value: Bool) {
    header(number, ThriftType.bool.rawValue, value ? 1 : 2)
    if format == .binary { out.put(value ? 1 : 0) }
  }

  @inlinable public mutating func i32(_ number: Int16, _ value: Int32) {
    field(number, .i32)
    if format == .binary { out.big(value) } else { zigzag(Int64(value)) }
  }

  @inlinable public mutating func i64(_ number: Int16, _ value: Int64) {
    field(number, .i64)
    if format == .binary { out.big(value) } else { zigzag(value) }
  }

  @inlinable public mutating func double(_ number: Int16, _ value: Double) {
    field(number, .double)
    // The compact protocol's implementations all write it little-endian, against its specification.
    if format == .binary { out.big(value.bitPattern) } else { out.little(value.bitPattern) }
  }

  @inlinable public mutating func bytes(_ number: Int16, _ value: UnsafeRawBufferPointer) {
    field(number, .string)
    bytes(value)
  }

  @inlinable public mutating func bytes(_ value: UnsafeRawBufferPointer) {
    length(value.count)
    out.put(value)
  }

  @inlinable public mutating func text(_ number: Int16, _ value: StaticString) {
    field(number, .string)
    length(value.utf8CodeUnitCount)
    out.put(value)
  }

  @inlinable public mutating func text(_ number: Int16, _ value: String) {
    field(number, .string)
    length(value.utf8.count)
    out.put(string: value)
  }

  @inlinable internal mutating func length(_ count: Int) {
    if format == .binary {
      out.big(UInt32(truncatingIfNeeded: count))
    } else {
      out.varint(UInt64(count))
    }
  }

  /// A list of structures.
  @inlinable public mutating func list(_ number: Int16, count: Int) {
    field(number, .list)
    if format == .binary {
      out.put(ThriftType.struct.rawValue)
      out.big(UInt32(truncatingIfNeeded: count))
    } else if count < 15 {
      out.put(UInt8(count) << 4 | ThriftType.struct.compact)
    } else {
      out.put(0xf0 | ThriftType.struct.compact)
      out.varint(UInt64(count))
    }
  }

  @inlinable internal mutating func zigzag(_ value: Int64) {
    out.varint(UInt64(bitPattern: value << 1 ^ value >> 63))
  }
}
