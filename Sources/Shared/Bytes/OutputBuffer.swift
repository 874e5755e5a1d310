import Glibc

/// Bytes that a formatter has produced but that are not written yet: one reused block.
///
/// It grows to hold whatever one record needs and is emptied by its owner, so its size is bounded by the flush size
/// plus the largest record in its most expanded form.
public struct OutputBuffer: ~Copyable {
  @usableFromInline internal var storage: UnsafeMutablePointer<UInt8>
  @usableFromInline internal var capacity: Int
  @usableFromInline internal var used = 0
  @inlinable public var count: Int { used }

  @inlinable public init(capacity: Int = 320 << 10) {
    self.capacity = capacity
    // Page-aligned: the kernel copies from an unaligned block at a fraction of the speed.
    storage = Self.allocate(capacity)
  }

  deinit { storage.deallocate() }

  @inlinable internal static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 4096)
      .bindMemory(to: UInt8.self, capacity: capacity)
  }

  @inlinable public var isEmpty: Bool { count == 0 }
  @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

  @inlinable public mutating func removeAll() {
    used = 0
    if capacity > 4 << 20 {
      storage.deallocate()
      capacity = 320 << 10
      storage = Self.allocate(capacity)
    }
  }

  /// Drops what was appended after the buffer held `count` bytes.
  @inlinable public mutating func truncate(to count: Int) {
    if count < self.count { used = count }
  }

  /// Makes room for `extra` bytes; all unchecked writes below happen within such room.
  @inlinable @inline(__always)
  public mutating func reserve(_ extra: Int) {
    if capacity - count < extra { grow(extra) }
  }

  @usableFromInline @inline(never)
  internal mutating func grow(_ extra: Int) {
    let larger = Self.allocate(max(capacity * 2, count + extra))
    capacity = max(capacity * 2, count + extra)
    larger.update(from: storage, count: count)
    storage.deallocate()
    storage = larger
  }

  @inlinable @inline(__always)
  public mutating func append(_ byte: UInt8) {
    reserve(1)
    storage[count] = byte
    used += 1
  }

  @inlinable @inline(__always)
  public mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    reserve(length)
    memcpy(storage + count, text.utf8Start, length)
    used += length
  }

  @inlinable public mutating func append(string text: String) {
    var text = text
    text.withUTF8 { bytes in
      reserve(bytes.count)
      if let base = bytes.baseAddress { memcpy(storage + count, base, bytes.count) }
      used += bytes.count
    }
  }

  @inline(__always)
  @inlinable internal static func copyBlock(
    _ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>
  ) {
    let target = UnsafeMutableRawPointer(target)
    let (low, high) = (ByteScanner.load(source), ByteScanner.load(source + 16))
    target.storeBytes(of: low, as: SIMD16<UInt8>.self)
    (target + 16).storeBytes(of: high, as: SIMD16<UInt8>.self)
  }

  /// Appends bytes as they are.
  @inlinable @inline(__always)
  public mutating func append(_ slice: ByteSlice) {
    var end = cursor(reserving: slice.count)
    end.put(slice)
    commit(end)
  }

  @inlinable public mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    reserve(bytes.count)
    memcpy(storage + count, base, bytes.count)
    used += bytes.count
  }

  /// Appends what `write` puts into room for `maximum` bytes; `write` returns how many it wrote.
  @inlinable @inline(__always)
  public mutating func append(upTo maximum: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
    reserve(maximum)
    let written = write(storage + count)
    precondition(written >= 0 && written <= maximum, "more was written than was said")
    used += written
  }

  /// Appends a number in decimal.
  @inlinable public mutating func append(decimal value: Int64) {
    var cursor = cursor(reserving: 0)
    cursor.put(decimal: value)
    commit(cursor)
  }

  /// Appends a byte as two hexadecimal digits.
  @inlinable public mutating func append(hex byte: UInt8, uppercase: Bool = false) {
    append(HexDigit.character(byte >> 4, uppercase: uppercase))
    append(HexDigit.character(byte, uppercase: uppercase))
  }
}

extension OutputBuffer {
  /// A place to write to without a check for each piece.
  ///
  /// The caller states the maximum size in advance, computed from the lengths of the record's texts; ``commit(_:)``
  /// traps if it was exceeded.
  public struct Cursor {
    @usableFromInline internal var p: UnsafeMutablePointer<UInt8>

    @inlinable internal init(p: UnsafeMutablePointer<UInt8>) { self.p = p }

    @inlinable @inline(__always)
    public mutating func put(_ byte: UInt8) {
      p.pointee = byte
      p += 1
    }

    @inlinable @inline(__always)
    public mutating func put(_ text: StaticString) {
      memcpy(p, text.utf8Start, text.utf8CodeUnitCount)
      p += text.utf8CodeUnitCount
    }

    /// Puts bytes as they are.
    @inlinable @inline(__always)
    public mutating func put(_ slice: ByteSlice) {
      let length = slice.count
      // Blocks of 32: what is copied beyond the end comes out of the slice's padding, goes into the room's slack, and
      // is written over.
      OutputBuffer.copyBlock(slice.base, to: p)
      if length > 32 {
        var done = 32
        repeat {
          OutputBuffer.copyBlock(slice.base + done, to: p + done)
          done &+= 32
        } while done < length
      }
      p += length
    }

    /// Puts a byte as two hexadecimal digits.
    @inlinable @inline(__always)
    public mutating func put(hex byte: UInt8, uppercase: Bool = false) {
      put(HexDigit.character(byte >> 4, uppercase: uppercase))
      put(HexDigit.character(byte, uppercase: uppercase))
    }

    @inlinable @inline(__always)
    public mutating func put(decimal value: Int64) {
      if value < 0 { put(0x2d) }
      put(decimal: value.magnitude)
    }

    @inlinable @inline(__always)
    public mutating func put(decimal value: UInt64) {
      p += DecimalDigits.write(value, to: p)
    }

    /// How many digits a number has.
    @inlinable @inline(__always)
    public static func digits(of value: UInt64) -> Int {
      var digits = 1
      var rest = value
      while rest >= 10_000 {
        digits += 4
        rest /= 10_000
      }
      return digits + (rest >= 10 ? 1 : 0) + (rest >= 100 ? 1 : 0) + (rest >= 1000 ? 1 : 0)
    }

    /// How many bytes were put since `start`.
    @inlinable @inline(__always)
    public func count(since start: Cursor) -> Int { p - start.p }

    /// Moves what was put since `start` to the right, so that it ends `width` bytes from there, with spaces before it.
    @inlinable public mutating func alignRight(_ width: Int, since start: Cursor) {
      let count = count(since: start)
      guard count < width else { return }
      let shift = width - count
      memmove(start.p + shift, start.p, count)
      memset(start.p, 0x20, shift)
      p += shift
    }

    /// Puts what `write` writes; `write` returns how many bytes.
    @inlinable @inline(__always)
    public mutating func put(_ write: (UnsafeMutablePointer<UInt8>) -> Int) { p += write(p) }
  }

  /// A cursor at the end, with room for `bound` bytes.
  @inlinable @inline(__always)
  public mutating func cursor(reserving bound: Int) -> Cursor {
    reserve(bound + 64)
    return Cursor(p: storage + count)
  }

  /// Takes what was put through the cursor.
  @inlinable @inline(__always)
  public mutating func commit(_ cursor: Cursor) {
    used = cursor.p - storage
    precondition(used >= 0 && used <= capacity, "a formatter wrote more than it said")
  }
}
