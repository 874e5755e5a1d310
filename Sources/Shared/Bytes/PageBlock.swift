/// Memory that files are read into: it begins at a page boundary, where the kernel copies fastest, and has padding
/// after what was read, so that slices of it may be scanned in blocks.
///
/// Its slices and buffers are valid until the next ``fill(_:_:)``.
public struct PageBlock: ~Copyable {
  /// Readable bytes after the last one: a load of 64 bytes may begin at the last one, and a second one four bytes
  /// later.
  public static let padding = 2 * ByteSlice.padding

  @usableFromInline internal var storage: UnsafeMutableRawPointer
  @usableFromInline internal var capacity: Int
  @usableFromInline internal var used = 0

  /// A block of `capacity` bytes, which grows on demand.
  public init(capacity: Int) {
    self.capacity = max(0, capacity)
    storage = .allocate(byteCount: self.capacity + Self.padding, alignment: 4096)
  }

  deinit { storage.deallocate() }

  /// The number of bytes that were read.
  @inlinable public var count: Int { used }

  /// Replaces the contents: `read` gets room for `count` bytes, and returns how many it stored.
  public mutating func fill<Failure: Error>(
    _ count: Int, _ read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
  ) throws(Failure) {
    used = 0
    if count > capacity {
      storage.deallocate()
      capacity = count
      storage = .allocate(byteCount: capacity + Self.padding, alignment: 4096)
    }
    let got = try read(UnsafeMutableRawBufferPointer(start: storage, count: max(0, count)))
    precondition(got >= 0 && got <= capacity, "more was read than there is room for")
    used = got
    (storage + used).initializeMemory(as: UInt8.self, repeating: 0, count: Self.padding)
  }

  /// All bytes that were read.
  @inlinable public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: used) }

  /// The bytes from `start` on; none if there are none.
  @inlinable @inline(__always)
  public func slice(from start: Int) -> ByteSlice {
    let lower = max(0, min(start, used))
    return ByteSlice(
      base: UnsafePointer((storage + lower).assumingMemoryBound(to: UInt8.self)), count: used &- lower,
      isPlain: false)
  }

  /// `count` bytes from `start` on; nil if there are fewer.
  @inlinable public func buffer(from start: Int, count: Int) -> UnsafeRawBufferPointer? {
    guard start >= 0, count >= 0, start <= used, count <= used - start else { return nil }
    return UnsafeRawBufferPointer(start: storage + start, count: count)
  }
}
