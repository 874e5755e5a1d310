import Glibc

/// The bytes that a formatter has produced and that have not been written yet: one block, reused.
///
/// It grows to hold whatever one record needs and is emptied by its owner, so its size is bounded by the flush size
/// plus the largest record in its most expanded form.
package struct OutputBuffer: ~Copyable {
  private var storage: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  package private(set) var count = 0

  package init(capacity: Int = 320 << 10) {
    self.capacity = capacity
    // Page-aligned: the kernel copies from an unaligned block at a fraction of the speed.
    storage = Self.allocate(capacity)
  }

  deinit { storage.deallocate() }

  private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
    UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 4096)
      .bindMemory(to: UInt8.self, capacity: capacity)
  }

  package var isEmpty: Bool { count == 0 }
  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: count) }

  package mutating func removeAll() {
    count = 0
    if capacity > 4 << 20 {
      storage.deallocate()
      capacity = 320 << 10
      storage = Self.allocate(capacity)
    }
  }

  /// Drops what was appended after the buffer held `count` bytes.
  package mutating func truncate(to count: Int) {
    if count < self.count { self.count = count }
  }

  /// Makes room for `extra` bytes; all unchecked writes below happen within such room.
  @inline(__always)
  package mutating func reserve(_ extra: Int) {
    if capacity - count < extra { grow(extra) }
  }

  @inline(never)
  private mutating func grow(_ extra: Int) {
    let larger = Self.allocate(max(capacity * 2, count + extra))
    capacity = max(capacity * 2, count + extra)
    larger.update(from: storage, count: count)
    storage.deallocate()
    storage = larger
  }

  @inline(__always)
  package mutating func append(_ byte: UInt8) {
    reserve(1)
    storage[count] = byte
    count += 1
  }

  @inline(__always)
  package mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    reserve(length)
    memcpy(storage + count, text.utf8Start, length)
    count += length
  }

  package mutating func append(string text: String) {
    var text = text
    text.withUTF8 { bytes in
      reserve(bytes.count)
      if let base = bytes.baseAddress { memcpy(storage + count, base, bytes.count) }
      count += bytes.count
    }
  }

  /// Appends bytes as they are.
  @inline(__always)
  package mutating func append(_ slice: ByteSlice) {
    let length = slice.count
    reserve(length + ByteSlice.padding)
    if length <= 32 {
      // Two loads within the slice and its padding, two stores within the room.
      let target = UnsafeMutableRawPointer(storage + count)
      target.storeBytes(of: ByteScanner.load(slice.base), as: SIMD16<UInt8>.self)
      if length > 16 {
        (target + 16).storeBytes(of: ByteScanner.load(slice.base + 16), as: SIMD16<UInt8>.self)
      }
    } else {
      memcpy(storage + count, slice.base, length)
    }
    count += length
  }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    reserve(bytes.count)
    memcpy(storage + count, base, bytes.count)
    count += bytes.count
  }

  /// Appends what `write` puts into room for `maximum` bytes; `write` returns how many it wrote.
  @inline(__always)
  package mutating func append(upTo maximum: Int, _ write: (UnsafeMutablePointer<UInt8>) -> Int) {
    reserve(maximum)
    count += write(storage + count)
  }

  /// Appends a number in decimal.
  @inline(__always)
  package mutating func append(decimal value: Int64) {
    reserve(20)
    if value < 0 {
      storage[count] = 0x2d
      count += 1
    }
    appendMagnitude(value.magnitude)
  }

  @inline(__always)
  package mutating func append(decimal value: UInt64) {
    reserve(20)
    appendMagnitude(value)
  }

  @inline(__always)
  private mutating func appendMagnitude(_ value: UInt64) {
    var digits = 1
    var bound: UInt64 = 10
    while digits < 20, value >= bound {
      digits += 1
      if digits < 20 { bound &*= 10 }
    }
    var rest = value
    var index = count + digits
    count = index
    repeat {
      index -= 1
      storage[index] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
      rest /= 10
    } while rest != 0
  }

  /// Appends a byte as two hexadecimal digits.
  package mutating func append(hex byte: UInt8, uppercase: Bool = false) {
    let letter: UInt8 = uppercase ? 0x37 : 0x57
    for digit in [byte >> 4, byte & 15] { append(digit < 10 ? 0x30 + digit : letter + digit) }
  }
}
