import Glibc

extension ByteSlice {
  /// Whether these are the bytes of an array.
  @inlinable public func isSame(as other: [UInt8]) -> Bool {
    guard other.count == count else { return false }
    return other.withUnsafeBytes { $0.baseAddress.map { memcmp($0, base, count) == 0 } ?? true }
  }

  /// Whether these are the bytes of an array from `start` on.
  @inlinable @inline(__always)
  public func isSame(as other: [UInt8], at start: Int) -> Bool {
    guard start >= 0, start <= other.count, count <= other.count - start else { return false }
    return other.withUnsafeBytes { $0.baseAddress.map { memcmp($0 + start, base, count) == 0 } ?? true }
  }

  /// The bytes as an array of their own.
  @inlinable public var array: [UInt8] { Array(bytes) }
}
