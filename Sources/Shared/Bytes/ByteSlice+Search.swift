/// Questions that are answered by loads of several bytes at once, which the padding after every slice makes safe: callers
/// need no pointer.
extension ByteSlice {
  /// Without `byte` at the end, where it stands there.
  @inlinable @inline(__always)
  public func droppingLast(_ byte: UInt8) -> ByteSlice {
    count > 0 && base[count - 1] == byte ? prefix(count - 1) : self
  }

  /// The first byte that is neither white space nor a control character; nil if there is none.
  @inlinable public var firstVisible: UInt8? { bytes.first { $0 > 0x20 } }

  /// The first eight bytes as a number, the first byte lowest. Behind the end of a shorter slice they are whatever
  /// stands there.
  @inlinable @inline(__always)
  public var leadingWord: UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
  }

  /// Whether a slice of at most 32 bytes has a space in it; true says nothing of a longer one.
  @inlinable @inline(__always)
  public var mayHaveSpace: Bool {
    guard count <= 32 else { return true }
    let spaces = ByteScanner.Lanes(repeating: 0x20)
    let first = ByteScanner.bits(ByteScanner.load(base) .== spaces)
    let second = ByteScanner.bits(ByteScanner.load(base + 16) .== spaces)
    let ofText = (1 &<< UInt64(truncatingIfNeeded: count)) &- 1
    return UInt64(first | second &<< 16) & ofText != 0
  }
}
