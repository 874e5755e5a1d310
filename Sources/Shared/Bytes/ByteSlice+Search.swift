import Glibc

/// Searches that load several bytes at once, which the padding after every slice makes safe: callers need no pointer.
extension ByteSlice {
  /// The slice without a trailing `byte`.
  @inlinable @inline(__always)
  public func droppingLast(_ byte: UInt8) -> ByteSlice {
    count > 0 && base[count - 1] == byte ? prefix(count - 1) : self
  }

  /// The first byte that is neither white space nor a control character; nil if there is none.
  @inlinable public var firstVisible: UInt8? { bytes.first { $0 > 0x20 } }

  /// The first eight bytes as a number, the first byte lowest. Bytes after the end of a shorter slice are undefined.
  @inlinable @inline(__always)
  public var leadingWord: UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(base).loadUnaligned(as: UInt64.self))
  }

  /// Whether a slice of at most 32 bytes contains a space; for a longer one, true means nothing.
  @inlinable @inline(__always)
  public var mayHaveSpace: Bool {
    guard count <= 32 else { return true }
    let spaces = ByteScanner.Lanes(repeating: 0x20)
    let first = ByteScanner.bits(ByteScanner.load(base) .== spaces)
    let second = ByteScanner.bits(ByteScanner.load(base + 16) .== spaces)
    let ofText = (1 &<< UInt64(truncatingIfNeeded: count)) &- 1
    return UInt64(first | second &<< 16) & ofText != 0
  }

  /// The index of the first occurrence of `text` at or after `start`.
  ///
  /// Sixteen places at a time, by the first and the last byte of `text`: for the short words that are looked for in
  /// lines this takes a quarter of the instructions of `memmem`.
  public func range(of text: StaticString, from start: Int = 0) -> Int? {
    let length = text.utf8CodeUnitCount
    guard start >= 0, length > 0, count - start >= length else {
      return length == 0 && start >= 0 && start <= count ? start : nil
    }
    let first = ByteScanner.Lanes(repeating: text.utf8Start[0])
    let last = ByteScanner.Lanes(repeating: text.utf8Start[length - 1])
    let places = count - length + 1
    var index = start
    while index < places {
      // A place is under `places`, so that both loads begin within the slice.
      var found = ByteScanner.bits(
        (ByteScanner.load(base + index) .== first) .& (ByteScanner.load(base + index + length - 1) .== last))
      while found != 0 {
        let place = index + found.trailingZeroBitCount
        guard place < places else { return nil }
        if memcmp(base + place, text.utf8Start, length) == 0 { return place }
        found &= found - 1
      }
      index += 16
    }
    return nil
  }

  /// Whether a byte is a control character but tab and line feed, or a delete.
  public var hasControls: Bool {
    var index = 0
    while index < count {
      let v = ByteScanner.load(base + index)
      let low = (v .< ByteScanner.Lanes(repeating: 0x20)) .| (v .== ByteScanner.Lanes(repeating: 0x7f))
      let text = (v .== ByteScanner.Lanes(repeating: 0x09)) .| (v .== ByteScanner.Lanes(repeating: 0x0a))
      let found = ByteScanner.bits(low) & ~ByteScanner.bits(text)
      if found & ByteScanner.lanes(under: min(16, count - index)) != 0 { return true }
      index += 16
    }
    return false
  }
}
