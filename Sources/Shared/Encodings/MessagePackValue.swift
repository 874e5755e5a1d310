import Bytes

/// A value read from MessagePack.
public enum MessagePackValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int64)
  /// Above `Int64.max`.
  case uint(UInt64)
  case double(Double)
  /// The bytes of a text, which need not be UTF-8: some programs send arbitrary bytes as text.
  case string([UInt8])
  case binary([UInt8])
  case array([MessagePackValue])
  case map([Pair])
  case extended(Int8, [UInt8])

  /// A key and its value, in the order of the input.
  public struct Pair: Sendable, Equatable {
    public var key: MessagePackValue
    public var value: MessagePackValue
    public init(_ key: MessagePackValue, _ value: MessagePackValue) {
      self.key = key
      self.value = value
    }
  }

  /// The bytes of a text or of binary data, because programs disagree about which of the two to use.
  public var bytes: [UInt8]? {
    switch self {
    case .string(let bytes), .binary(let bytes): bytes
    default: nil
    }
  }

  /// A map's value for a key, the last if there are several.
  public subscript(key: String) -> MessagePackValue? {
    guard case .map(let pairs) = self else { return nil }
    return pairs.last { $0.key == .string(Array(key.utf8)) }?.value
  }

  /// The text, with U+FFFD for invalid UTF-8.
  public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}

/// Limits of what is read; they are checked before anything is allocated.
public struct MessagePackLimits: Sendable {
  /// Nesting depth of arrays and maps.
  public var depth: Int
  /// Bytes of a whole value.
  public var size: Int
  /// Values in a whole value, including itself and keys.
  public var values: Int

  public init(depth: Int = 64, size: Int = 64 << 10, values: Int = 4096) {
    self.depth = depth
    self.size = size
    self.values = values
  }
}

/// Reads MessagePack from a stream whose pieces may end anywhere.
public struct MessagePackReader: Sendable {
  private let limits: MessagePackLimits
  private var buffer: [UInt8] = []

  public init(_ limits: MessagePackLimits = MessagePackLimits()) { self.limits = limits }

  /// Bytes of an incomplete value.
  public var pendingBytes: Int { buffer.count }

  public mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(contentsOf: bytes) }

  /// Takes the next whole value; nil if more bytes are needed. An error concerns the whole stream: nothing after it can
  /// be read.
  public mutating func next() throws(CodecError) -> MessagePackValue? {
    if buffer.isEmpty { return nil }
    let (limits, isAll) = (limits, buffer.count > self.limits.size)
    var end = 0
    let value = try buffer.withBytes { (bytes) throws(CodecError) -> MessagePackValue? in
      var decoder = MessagePackDecoder(bytes, limits)
      do throws(CodecError) {
        let value = try decoder.value(depth: 0)
        end = decoder.position
        return value
      } catch {
        guard error.reason == .truncated, !isAll else { throw error }
        return nil
      }
    }
    if value != nil { buffer.removeFirst(end) }
    return value
  }
}

extension MessagePackValue {
  /// Reads bytes that are exactly one value.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, _ limits: MessagePackLimits = MessagePackLimits()
  )
    throws(CodecError) -> MessagePackValue
  {
    var decoder = MessagePackDecoder(bytes, limits)
    let value = try decoder.value(depth: 0)
    guard decoder.position == bytes.count else { throw CodecError(.trailing, at: decoder.position) }
    return value
  }
}

/// Decodes values from memory. An incomplete value fails as truncated.
struct MessagePackDecoder {
  private var reader: ByteReader
  private let limits: MessagePackLimits
  private var values = 0

  var position: Int { reader.position }

  init(_ bytes: UnsafeRawBufferPointer, _ limits: MessagePackLimits) {
    reader = ByteReader(bytes)
    self.limits = limits
  }

  mutating func value(depth: Int) throws(CodecError) -> MessagePackValue {
    values += 1
    guard values <= limits.values, depth <= limits.depth else { throw reader.failure(.limit) }
    let code = try reader.byte()
    switch code {
    case 0..<MessagePackCode.fixMap: return .int(Int64(code))
    case MessagePackCode.negative...: return .int(Int64(Int8(bitPattern: code)))
    case ..<MessagePackCode.fixArray: return try map(UInt64(code & 15), depth)
    case ..<MessagePackCode.fixString: return try array(UInt64(code & 15), depth)
    case ..<MessagePackCode.null: return .string(try bytes(UInt64(code & 31)))
    case MessagePackCode.null: return .null
    case MessagePackCode.no: return .bool(false)
    case MessagePackCode.yes: return .bool(true)
    case MessagePackCode.float32...MessagePackCode.int64: return try number(code)
    case MessagePackCode.binary8...MessagePackCode.binary8 + 2:
      return .binary(try bytes(try length(code - MessagePackCode.binary8)))
    case MessagePackCode.string8...MessagePackCode.string8 + 2:
      return .string(try bytes(try length(code - MessagePackCode.string8)))
    case MessagePackCode.extension8...MessagePackCode.extension8 + 2:
      return try extended(try length(code - MessagePackCode.extension8))
    case MessagePackCode.fixExtension1...MessagePackCode.fixExtension1 + 4:
      return try extended(1 << UInt64(code - MessagePackCode.fixExtension1))
    case MessagePackCode.array16...MessagePackCode.array16 + 1:
      return try array(try length(code - MessagePackCode.array16 + 1), depth)
    case MessagePackCode.map16...MessagePackCode.map16 + 1:
      return try map(try length(code - MessagePackCode.map16 + 1), depth)
    default: throw CodecError(.tag, at: reader.position - 1)
    }
  }

  private mutating func number(_ code: UInt8) throws(CodecError) -> MessagePackValue {
    switch code {
    case MessagePackCode.float32: return .double(Double(Float(bitPattern: try reader.big(UInt32.self))))
    case MessagePackCode.float64: return .double(Double(bitPattern: try reader.big(UInt64.self)))
    case MessagePackCode.uint8: return .int(Int64(try reader.byte()))
    case MessagePackCode.uint16: return .int(Int64(try reader.big(UInt16.self)))
    case MessagePackCode.uint32: return .int(Int64(try reader.big(UInt32.self)))
    case MessagePackCode.uint64:
      let value = try reader.big(UInt64.self)
      return Int64(exactly: value).map { .int($0) } ?? .uint(value)
    case MessagePackCode.int8: return .int(Int64(try reader.big(Int8.self)))
    case MessagePackCode.int16: return .int(Int64(try reader.big(Int16.self)))
    case MessagePackCode.int32: return .int(Int64(try reader.big(Int32.self)))
    default: return .int(try reader.big(Int64.self))
    }
  }

  /// A length of 8, 16 or 32 bits.
  private mutating func length(_ width: UInt8) throws(CodecError) -> UInt64 {
    switch width {
    case 0: UInt64(try reader.byte())
    case 1: UInt64(try reader.big(UInt16.self))
    default: UInt64(try reader.big(UInt32.self))
    }
  }

  private mutating func bytes(_ count: UInt64) throws(CodecError) -> [UInt8] {
    // Before all of it has arrived: a stream must not wait for what will be refused.
    guard count <= UInt64(limits.size) else { throw reader.failure(.limit) }
    let start = try reader.skip(count)
    return Array(reader.bytes.part(from: start, count: Int(count)))
  }

  private mutating func extended(_ count: UInt64) throws(CodecError) -> MessagePackValue {
    let type = Int8(bitPattern: try reader.byte())
    return .extended(type, try bytes(count))
  }

  private mutating func array(_ count: UInt64, _ depth: Int) throws(CodecError) -> MessagePackValue {
    guard count <= UInt64(limits.values - values) else { throw reader.failure(.limit) }
    var items: [MessagePackValue] = []
    for _ in 0..<count { items.append(try value(depth: depth + 1)) }
    return .array(items)
  }

  private mutating func map(_ count: UInt64, _ depth: Int) throws(CodecError) -> MessagePackValue {
    guard count <= UInt64(limits.values - values) / 2 else { throw reader.failure(.limit) }
    var pairs: [MessagePackValue.Pair] = []
    for _ in 0..<count {
      let key = try value(depth: depth + 1)
      pairs.append(MessagePackValue.Pair(key, try value(depth: depth + 1)))
    }
    return .map(pairs)
  }
}
