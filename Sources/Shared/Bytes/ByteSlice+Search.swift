extension ByteSlice {
  /// Without `byte` at the end, where it stands there.
  @inlinable @inline(__always)
  public func droppingLast(_ byte: UInt8) -> ByteSlice {
    count > 0 && base[count - 1] == byte ? prefix(count - 1) : self
  }
}
