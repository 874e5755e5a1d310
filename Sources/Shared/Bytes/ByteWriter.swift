import Glibc

/// Bytes that an encoder appends to: one block that grows and is reused.
///
/// All stores are behind ``reserve(_:)``: each function makes room for what it writes before it writes it.
public struct ByteWriter: ~Copyable {
  @usableFromInline internal var base: UnsafeMutablePointer<UInt8>
  @usableFromInline internal var capacity: Int
  @usableFromInline internal var used = 0
  @inlinable public var count: Int { used }

  @inlinable public init(capacity: Int = 64 << 10) {
    self.capacity = max(64, capacity)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  @inlinable public var isEmpty: Bool { count == 0 }
  @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
  @inlinable public var array: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }
  @inlinable public var string: String {
    String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self)
  }

  /// Empties it, and frees a block that a huge span made large.
  @inlinable public mutating func removeAll() {
    used = 0
    if capacity > 1 << 20 {
      base.deallocate()
      capacity = 64 << 10
      base = .allocate(capacity: capacity)
    }
  }

  /// Drops what was appended after it held `count` bytes.
  @inlinable public mutating func truncate(to count: Int) { used = max(0, min(count, self.count)) }

  /// Drops the first `count` bytes.
  @inlinable public mutating func removeFirst(_ count: Int) {
    let gone = max(0, min(count, self.count))
    memmove(base, base + gone, self.count - gone)
    used -= gone
  }

  @inlinable @inline(__always)
  public mutating func reserve(_ extra: Int) {
    if capacity &- count < extra { grow(extra) }
  }

  @usableFromInline @inline(never)
  internal mutating func grow(_ extra: Int) {
    capacity = max(capacity * 2, count + extra)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: base, count: count)
    base.deallocate()
    base = larger
  }

  @inlinable @inline(__always)
  public mutating func put(_ byte: UInt8) {
    reserve(1)
    base[count] = byte
    used &+= 1
  }

  @inlinable @inline(__always)
  public mutating func put(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    reserve(length)
    memcpy(base + count, text.utf8Start, length)
    used &+= length
  }

  @inlinable public mutating func put(string: String) {
    var string = string
    string.withUTF8 { put(UnsafeRawBufferPointer($0)) }
  }

  @inlinable @inline(__always)
  public mutating func put(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    reserve(bytes.count)
    memcpy(base + count, start, bytes.count)
    used &+= bytes.count
  }

  @inlinable public mutating func put(_ bytes: [UInt8]) { bytes.withUnsafeBytes { put($0) } }

  @inlinable @inline(__always)
  public mutating func little<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
    let width = MemoryLayout<T>.size
    reserve(width)
    UnsafeMutableRawPointer(base + count).storeBytes(of: value.littleEndian, as: T.self)
    used &+= width
  }

  @inlinable @inline(__always)
  public mutating func big<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) { little(value.byteSwapped) }

  @inlinable @inline(__always)
  public mutating func varint(_ value: UInt64) {
    reserve(10)
    var rest = value
    while rest >= 0x80 {
      base[count] = UInt8(truncatingIfNeeded: rest) | 0x80
      used &+= 1
      rest >>= 7
    }
    base[count] = UInt8(truncatingIfNeeded: rest)
    used &+= 1
  }

  /// Puts the length of what was written since `start` before it, as a varint.
  @inlinable @inline(__always)
  public mutating func insertLength(at start: Int) {
    let length = count &- start
    var width = 1
    while length >> (7 * width) > 0 { width += 1 }
    // As much as ``varint(_:)`` asks for: it must not grow the block, which would keep no more than `start` bytes.
    reserve(10)
    memmove(base + start + width, base + start, length)
    used = start
    varint(UInt64(length))
    used &+= length
  }

  /// Overwrites four bytes at `offset`, which must have been written before.
  @inlinable public mutating func overwrite(at offset: Int, big value: UInt32) {
    guard offset >= 0, offset + 4 <= count else { return }
    UnsafeMutableRawPointer(base + offset).storeBytes(of: value.bigEndian, as: UInt32.self)
  }

  @inlinable @inline(__always)
  public mutating func put(decimal value: Int64) {
    if value < 0 { put(0x2d) }
    put(decimal: value.magnitude)
  }

  @inlinable public mutating func put(decimal value: UInt64) {
    // The digits are stored eight at a time, within twenty bytes.
    reserve(20)
    used &+= DecimalDigits.write(value, to: base + count)
  }

  /// Puts an instant in RFC 3339 form, with all nine fractional digits unless it is trimmed.
  public mutating func put(rfc3339 time: Timestamp, trimmed: Bool = false) {
    reserve(Timestamp.maximumLength)
    used &+= time.write(rfc3339: base + count, trimmed: trimmed)
  }

  @inlinable public mutating func put(decimal value: UInt128) {
    if let small = UInt64(exactly: value) { return put(decimal: small) }
    put(string: String(value))
  }

  /// Puts 16 hexadecimal digits.
  @inlinable @inline(__always)
  public mutating func put(hex value: UInt64) {
    reserve(16)
    // Each nibble to its own byte, then to a digit: 8 at a time, without a table.
    storeHex(UInt32(truncatingIfNeeded: value >> 32), at: count)
    storeHex(UInt32(truncatingIfNeeded: value), at: count &+ 8)
    used &+= 16
  }

  @inlinable @inline(__always)
  internal func storeHex(_ value: UInt32, at offset: Int) {
    var x = UInt64(value)
    x = (x | x << 16) & 0x0000_ffff_0000_ffff
    x = (x | x << 8) & 0x00ff_00ff_00ff_00ff
    x = (x | x << 4) & 0x0f0f_0f0f_0f0f_0f0f
    let letters = ((x &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    let digits = x &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    UnsafeMutableRawPointer(base + offset).storeBytes(of: digits.bigEndian, as: UInt64.self)
  }

  /// Puts a text as JSON, in quotes.
  @inlinable @inline(__always)
  public mutating func put(json text: UnsafeRawBufferPointer) {
    // Every byte becomes at most six; the two quotes.
    reserve(text.count &* 6 &+ 2)
    base[count] = 0x22
    let length = text.count
    if let source = text.baseAddress, length > 0 {
      if copyPlain(source, length, to: UnsafeMutableRawPointer(base + count + 1)) {
        used &+= length &+ 1
      } else {
        used = escape(source, length, at: count &+ 1)
      }
    } else {
      used &+= 1
    }
    base[count] = 0x22
    used &+= 1
  }

  /// Copies text that needs no escape; false if it does, and the caller must overwrite what was stored.
  ///
  /// The last word overlaps the one before it, so that all loads and stores are within `length` bytes.
  @inlinable @inline(__always)
  internal func copyPlain(_ source: UnsafeRawPointer, _ length: Int, to target: UnsafeMutableRawPointer)
    -> Bool
  {
    if length >= 8 {
      var special: UInt64 = 0
      var index = 0
      while index &+ 8 < length {
        let word = source.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        target.storeBytes(of: word, toByteOffset: index, as: UInt64.self)
        special |= ByteLanes.special(word)
        index &+= 8
      }
      let word = source.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)
      target.storeBytes(of: word, toByteOffset: length &- 8, as: UInt64.self)
      return special | ByteLanes.special(word) == 0
    }
    if length >= 4 {
      let first = source.loadUnaligned(as: UInt32.self)
      let last = source.loadUnaligned(fromByteOffset: length &- 4, as: UInt32.self)
      target.storeBytes(of: first, as: UInt32.self)
      target.storeBytes(of: last, toByteOffset: length &- 4, as: UInt32.self)
      return ByteLanes.special(UInt64(first) | UInt64(last) << 32) == 0
    }
    for index in 0..<length {
      let byte = source.load(fromByteOffset: index, as: UInt8.self)
      if byte < 0x20 || byte == 0x22 || byte == 0x5c { return false }
      target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    return true
  }

  /// Stores a text with escapes at `start`, within the room that the caller made; returns the place after it.
  @usableFromInline @inline(never)
  internal func escape(_ source: UnsafeRawPointer, _ length: Int, at start: Int) -> Int {
    var target = start
    for index in 0..<length {
      let byte = source.load(fromByteOffset: index, as: UInt8.self)
      if byte >= 0x20, byte != 0x22, byte != 0x5c {
        base[target] = byte
        target &+= 1
      } else {
        target = escape(byte, at: target)
      }
    }
    return target
  }

  /// Stores at most six bytes at `target`, within the room that the caller made.
  @usableFromInline @inline(never)
  internal func escape(_ byte: UInt8, at target: Int) -> Int {
    base[target] = UInt8(ascii: "\\")
    if let letter = JSONEscape.letter(for: byte) {
      base[target + 1] = letter
      return target &+ 2
    }
    base[target + 1] = UInt8(ascii: "u")
    base[target + 2] = UInt8(ascii: "0")
    base[target + 3] = UInt8(ascii: "0")
    base[target + 4] = HexDigit.character(byte >> 4)
    base[target + 5] = HexDigit.character(byte)
    return target &+ 6
  }

  @inlinable public mutating func put(json string: String) {
    var string = string
    string.withUTF8 { put(json: UnsafeRawBufferPointer($0)) }
  }
}
