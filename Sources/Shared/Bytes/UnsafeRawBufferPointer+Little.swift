extension UnsafeRawBufferPointer {
  /// The little-endian number at `offset`; nil where there are not so many bytes.
  @inlinable @inline(__always)
  public func little<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
    guard offset >= 0, offset <= count, MemoryLayout<T>.size <= count - offset else { return nil }
    return T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }
}

extension [UInt8] {
  /// As for memory: the little-endian number at `offset`.
  @inlinable public func little<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T?
  {
    withUnsafeBytes { $0.little(type, at: offset) }
  }
}
