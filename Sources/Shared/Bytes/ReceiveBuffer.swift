import Glibc

/// Received bytes that are not consumed yet: a block that is filled at its end and consumed from its front.
public struct ReceiveBuffer: ~Copyable {
  @usableFromInline internal var block: [UInt8]
  @usableFromInline internal var used = 0
  @usableFromInline internal var filled = 0

  /// An empty buffer of a fixed size, until ``resize(to:)`` changes it.
  public init(capacity: Int) { block = [UInt8](repeating: 0, count: max(1, capacity)) }

  /// The size of the block.
  public var capacity: Int { block.count }

  /// How many bytes wait.
  @inlinable public var count: Int { filled - used }
  @inlinable public var isEmpty: Bool { filled == used }

  /// How many bytes fit after those that wait, without moving them.
  public var room: Int { block.count - filled }

  /// Moves the bytes that wait to the front of the block.
  public mutating func compact() {
    guard used > 0 else { return }
    let (start, count) = (used, self.count)
    if count > 0 {
      block.withUnsafeMutableBytes { bytes in
        if let base = bytes.baseAddress { memmove(base, base + start, count) }
      }
    }
    used = 0
    filled = count
  }

  /// Changes the size of the block, to one that holds what waits.
  public mutating func resize(to capacity: Int) {
    compact()
    let size = max(capacity, filled, 1)
    if size > block.count {
      block.append(contentsOf: repeatElement(0, count: size - block.count))
    } else if size < block.count {
      // Copied rather than cut: an array that is cut keeps its memory.
      block = Array(block[..<size])
    }
  }

  /// Calls `body` to fill at most `limit` bytes after the unread ones. It returns how many it stored; a number out of
  /// range is clamped.
  public mutating func fill(_ limit: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
    let space = max(0, min(room, limit))
    let start = filled
    let stored = block.withUnsafeMutableBytes { bytes in
      body(UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + space]))
    }
    filled += max(0, min(stored, space))
  }

  /// The big-endian number at the front; nil if there are too few bytes.
  @inlinable public var bigUInt64: UInt64? {
    guard count >= 8 else { return nil }
    return block.withUnsafeBytes {
      UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: used, as: UInt64.self))
    }
  }

  /// Calls `body` with up to `count` waiting bytes after the first `start`.
  @inlinable public func withBytes<Result, Failure: Error>(
    from start: Int, count: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let lower = used + max(0, min(start, self.count))
    let upper = lower + max(0, min(count, filled - lower))
    return try block.withUnsafeBufferPointer { bytes throws(Failure) in
      try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[lower..<upper])))
    }
  }

  /// Drops the first `count` waiting bytes.
  @inlinable public mutating func drop(_ count: Int) { used += max(0, min(count, self.count)) }
}
