import Glibc

/// Memory for bytes of a record that are not in its input in this form: unescaped values, joined parts.
///
/// Addresses stay valid until ``reset()``, which frees all blocks except the first. Its size is bounded by the
/// unescaped size of one record: at most three times the longest record for each nesting level that is read.
public struct Arena: ~Copyable {
  @usableFromInline internal static let blockSize = 64 << 10

  @usableFromInline internal var blocks: [UnsafeMutablePointer<UInt8>] = []
  @usableFromInline internal var next: UnsafeMutablePointer<UInt8>
  @usableFromInline internal var left: Int

  @inlinable public init() {
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.blockSize)
    blocks.append(block)
    next = block
    left = Self.blockSize
  }

  deinit {
    for block in blocks { block.deallocate() }
  }

  /// Invalidates everything that was handed out.
  @inlinable @inline(__always)
  public mutating func reset() {
    if blocks.count > 1 { shrink() }
    next = blocks[0]
    left = Self.blockSize
  }

  @inlinable internal mutating func shrink() {
    for block in blocks.dropFirst() { block.deallocate() }
    blocks.removeSubrange(1...)
  }

  /// Room for `count` bytes and the padding after them; ``commit(_:of:)`` returns the unused part.
  @inlinable @inline(__always)
  public mutating func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if count + ByteSlice.padding > left { grow(count + ByteSlice.padding) }
    return next
  }

  /// Keeps the first `count` bytes of the last reservation and makes a slice of them.
  @inlinable @inline(__always)
  public mutating func commit(_ count: Int, isPlain: Bool = false) -> ByteSlice {
    precondition(count >= 0 && count + ByteSlice.padding <= left, "more was written than was reserved")
    let slice = ByteSlice(base: next, count: count, isPlain: isPlain)
    next += count
    left -= count
    return slice
  }

  /// A copy of `slice` that lives as long as the arena's other bytes.
  @inlinable public mutating func copy(_ slice: ByteSlice) -> ByteSlice {
    let target = reserve(slice.count)
    target.update(from: slice.base, count: slice.count)
    return commit(slice.count, isPlain: slice.isPlain)
  }

  @inlinable public mutating func copy(_ bytes: UnsafeRawBufferPointer) -> ByteSlice {
    let target = reserve(bytes.count)
    if let source = bytes.baseAddress { memcpy(target, source, bytes.count) }
    return commit(bytes.count)
  }

  @inlinable public mutating func copy(_ bytes: [UInt8]) -> ByteSlice {
    bytes.withUnsafeBytes { copy($0) }
  }

  /// Both slices in one piece with a byte between them, which must be plain if the slices are.
  @inlinable public mutating func join(_ first: ByteSlice, _ separator: UInt8, _ second: ByteSlice)
    -> ByteSlice
  {
    let count = first.count + 1 + second.count
    let out = reserve(count)
    out.update(from: first.base, count: first.count)
    out[first.count] = separator
    (out + first.count + 1).update(from: second.base, count: second.count)
    return commit(count, isPlain: first.isPlain && second.isPlain)
  }

  @inlinable public mutating func copy(_ text: StaticString) -> ByteSlice {
    copy(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  @inlinable public mutating func copy(_ text: String) -> ByteSlice {
    var text = text
    return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
  }

  @inlinable internal mutating func grow(_ size: Int) {
    let capacity = max(size, Self.blockSize)
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    blocks.append(block)
    next = block
    left = capacity
  }
}
