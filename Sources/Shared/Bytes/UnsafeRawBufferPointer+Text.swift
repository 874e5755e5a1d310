import Glibc

extension UnsafeRawBufferPointer {
  /// Whether the bytes are exactly those of a constant.
  @inlinable @inline(__always)
  public static func == (bytes: UnsafeRawBufferPointer, text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    guard let base = bytes.baseAddress else { return true }
    return memcmp(base, text.utf8Start, bytes.count) == 0
  }

  /// Whether both are the same bytes, wherever they are.
  @inlinable @inline(__always)
  public func isSame(as other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let mine = baseAddress, let theirs = other.baseAddress else { return true }
    return memcmp(mine, theirs, count) == 0
  }
}
