import CLinux
import Glibc

/// A borrowed run of bytes inside an input buffer or an ``Arena``.
///
/// Hot paths use only these: no `String`, no copy. A slice does not own its bytes; it is valid until its buffer is
/// refilled. Every buffer that hands out slices keeps ``ByteSlice/padding`` readable bytes after its last one, so that
/// a load of up to that many bytes that starts inside a slice, or right after it, never leaves the allocation.
public struct ByteSlice: BitwiseCopyable {
  /// The bytes that must stay readable after every slice.
  public static let padding = 64

  public var base: UnsafePointer<UInt8>
  @usableFromInline internal var packedCount: UInt32
  /// Whether every byte is a printable ASCII character other than `"`, `\`, `<`, `>`, `&` and `%`: such text needs no
  /// check and no escape in any format. False means that it is unknown.
  public var isPlain: Bool

  @inlinable @inline(__always)
  public init(base: UnsafePointer<UInt8>, count: Int, isPlain: Bool) {
    self.base = base
    self.packedCount = UInt32(truncatingIfNeeded: count)
    self.isPlain = isPlain
  }

  /// A plain constant: the first `count` bytes of a text that has ``padding`` more after them.
  @inlinable @inline(__always)
  public init(padded text: StaticString, count: Int) {
    precondition(text.utf8CodeUnitCount >= count + Self.padding, "the constant has too little padding")
    self.init(base: text.utf8Start, count: count, isPlain: true)
  }

  /// The empty slice.
  @inlinable @inline(__always)
  public static var empty: ByteSlice {
    ByteSlice(padded: "                                                                ", count: 0)
  }

  @inlinable @inline(__always) public var count: Int { Int(packedCount) }
  @inlinable @inline(__always) public var isEmpty: Bool { packedCount == 0 }
  @inlinable @inline(__always) public var end: UnsafePointer<UInt8> { base + count }
  @inlinable @inline(__always) public var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: base, count: count)
  }

  /// The byte at `index`, which must be under `count`.
  @inlinable @inline(__always) public subscript(index: Int) -> UInt8 {
    // One comparison for both ends: as an unsigned number, a negative index is beyond every count.
    precondition(UInt(bitPattern: index) < UInt(packedCount), "index out of range")
    return base[index]
  }

  /// The byte at an offset, or 0 where there is none: one comparison, where a parser would ask for the end and for the
  /// byte.
  @inlinable @inline(__always)
  public func peek(_ offset: Int) -> UInt8 {
    UInt(bitPattern: offset) < UInt(packedCount) ? base[offset] : 0
  }

  /// The slice from `start` to `end`, both clamped to this slice's bounds.
  @inlinable public func slice(_ start: Int, _ end: Int) -> ByteSlice {
    let upper = max(0, min(end, count))
    let lower = max(0, min(start, upper))
    return ByteSlice(base: base + lower, count: upper - lower, isPlain: isPlain)
  }

  @inlinable public func dropFirst(_ n: Int) -> ByteSlice { slice(n, count) }
  @inlinable public func prefix(_ n: Int) -> ByteSlice { slice(0, n) }

  /// The text, with U+FFFD for bytes that are not UTF-8. Not for hot paths.
  @inlinable public var string: String { String(decoding: bytes, as: UTF8.self) }

  @inlinable @inline(__always)
  public static func == (a: ByteSlice, b: StaticString) -> Bool {
    a.count == b.utf8CodeUnitCount && memcmp(a.base, b.utf8Start, a.count) == 0
  }

  @inlinable @inline(__always)
  public static func != (a: ByteSlice, b: StaticString) -> Bool { !(a == b) }

  /// Whether these are the bytes of a text.
  @inlinable public func isSame(as text: String) -> Bool {
    guard text.utf8.count == count else { return false }
    return text.utf8.withContiguousStorageIfAvailable { memcmp($0.baseAddress ?? base, base, count) == 0 }
      ?? bytes.elementsEqual(text.utf8)
  }

  /// Calls `body` with a slice of a padded copy of `bytes`, which is valid during the call.
  @inlinable public static func withCopy<Result>(of bytes: [UInt8], _ body: (ByteSlice) -> Result) -> Result {
    let padded = bytes + repeatElement(0, count: padding)
    return padded.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return body(.empty) }
      return body(ByteSlice(base: base, count: bytes.count, isPlain: false))
    }
  }

  @inlinable public func equals(_ other: ByteSlice) -> Bool {
    count == other.count && memcmp(base, other.base, count) == 0
  }

  /// Whether these bytes come before the other's in the order of unsigned bytes.
  @inlinable public func precedes(_ other: ByteSlice) -> Bool { compare(other) < 0 }

  /// Negative, zero or positive in the order of unsigned bytes.
  @inlinable @inline(__always)
  public func compare(_ other: ByteSlice) -> Int {
    let difference = memcmp(base, other.base, min(count, other.count))
    return difference != 0 ? Int(difference) : count - other.count
  }

  @inlinable public func hasPrefix(_ text: StaticString) -> Bool {
    count >= text.utf8CodeUnitCount && memcmp(base, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  @inlinable public func hasSuffix(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    return count >= length && memcmp(end - length, text.utf8Start, length) == 0
  }

  /// The index of the first `byte` at or after `start`.
  @inlinable public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    guard start < count, let found = memchr(base + start, Int32(byte), count - start) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  @inlinable public func lastIndex(of byte: UInt8) -> Int? {
    guard count > 0, let found = memrchr(base, Int32(byte), count) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  @inlinable public func contains(_ byte: UInt8) -> Bool { firstIndex(of: byte) != nil }

  /// The slice without leading and trailing spaces, tabs, line ends and NULs.
  @inlinable public var trimmed: ByteSlice {
    var lower = 0
    var upper = count
    while lower < upper, base[lower] <= 0x20 { lower += 1 }
    while upper > lower, base[upper - 1] <= 0x20 { upper -= 1 }
    return slice(lower, upper)
  }
}
