import CLinux
import Glibc

/// Checked access to parts of borrowed memory: nothing here reads past its end, even in release builds.
extension UnsafeRawBufferPointer {
  /// The bytes of a range, which must be within these.
  @inlinable @inline(__always)
  public func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range out of bounds")
    guard let baseAddress else { return self }
    return UnsafeRawBufferPointer(
      start: baseAddress + range.lowerBound, count: range.upperBound &- range.lowerBound)
  }

  /// The `length` bytes from `start` on; none where they are not all within these.
  @inlinable @inline(__always)
  public func part(from start: Int, count length: Int) -> UnsafeRawBufferPointer {
    guard start >= 0, length >= 0, start <= count &- length, let baseAddress else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    return UnsafeRawBufferPointer(start: baseAddress + start, count: length)
  }

  /// The byte at an index, which must be within these; a buffer's own subscript checks only in debug builds.
  @inlinable @inline(__always)
  public func at(_ index: Int) -> UInt8 {
    // As unsigned numbers, one comparison finds both ends.
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index out of range")
    return self[index]
  }

  /// The part in `range`, clamped to the memory's bounds.
  @inlinable @inline(__always)
  public func part(clamping range: Range<Int>) -> UnsafeRawBufferPointer {
    let lower = Swift.max(0, Swift.min(range.lowerBound, count))
    let upper = Swift.max(lower, Swift.min(range.upperBound, count))
    return UnsafeRawBufferPointer(rebasing: self[lower..<upper])
  }

  /// The little-endian number at `offset`; nil where it would not be whole.
  @inlinable @inline(__always)
  public func little<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
    guard offset >= 0, count - offset >= MemoryLayout<T>.size else { return nil }
    return T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// Where the eight bytes of a little-endian number are for the first time.
  public func firstOffset(ofLittle number: UInt64) -> Int? {
    guard let base = baseAddress else { return nil }
    return withUnsafeBytes(of: number.littleEndian) { pattern in
      guard let start = pattern.baseAddress, let found = memmem(base, count, start, pattern.count) else {
        return nil
      }
      return UnsafeRawPointer(found) - base
    }
  }
}

extension [UInt8] {
  /// The little-endian number at `offset`; nil where it would not be whole.
  @inlinable public func little<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T?
  {
    withUnsafeBytes { $0.little(type, at: offset) }
  }

  /// The bytes in `range`, clamped to the array's bounds.
  @inlinable public func withPart<Result, Failure: Error>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withBytes { bytes throws(Failure) in try body(bytes.part(clamping: range)) }
  }
}

extension UInt64 {
  /// The eight bytes, the lowest first.
  public var littleBytes: [UInt8] { Swift.withUnsafeBytes(of: littleEndian) { Array($0) } }
}
