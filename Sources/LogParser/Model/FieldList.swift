import Bytes
import Glibc

/// A field without a property in ``Record``: a key and its value.
package struct Field {
  package var key: ByteSlice
  package var value: ByteSlice
  /// The first eight bytes of the key as a big-endian number, so that most comparisons need no memory.
  fileprivate var order: UInt64

  /// The first four bytes of the key as a big-endian number, padded with zeros.
  @inline(__always)
  package var head: UInt32 { UInt32(truncatingIfNeeded: order &>> 32) }

  @inline(__always)
  fileprivate init(_ key: ByteSlice, _ value: ByteSlice) {
    self.key = key
    self.value = value
    let word = key.leadingWord.byteSwapped
    let behind = ~UInt64(0) &>> UInt64(truncatingIfNeeded: key.count &* 8)
    order = key.count < 8 ? word & ~behind : word
  }

  @inline(__always)
  fileprivate func compare(_ other: Field) -> Int {
    if order != other.order { return order < other.order ? -1 : 1 }
    return key.compare(other.key)
  }
}

/// The extra fields of one record, ordered by key (unsigned bytes), each key once.
///
/// A few fields are inserted in order as they arrive. A record with very many (a hostile line of 1 MiB may hold half a
/// million) is sorted once, on demand, so that the work stays below quadratic.
package struct FieldList: ~Copyable {
  private static let insertionLimit = 48

  private var storage: UnsafeMutablePointer<Field>
  private var capacity: Int
  private var isSorted = true
  package private(set) var count = 0

  package init() {
    capacity = Self.insertionLimit
    storage = .allocate(capacity: capacity)
  }

  deinit { storage.deallocate() }

  package var isEmpty: Bool { count == 0 }

  /// Valid for indexes under ``count``, in order of the keys once ``sort()`` has returned.
  @inline(__always)
  package subscript(index: Int) -> Field {
    precondition(index >= 0 && index < count, "field index out of range")
    return storage[index]
  }

  @inline(__always)
  package mutating func removeAll() {
    count = 0
    isSorted = true
    if capacity > 4096 { shrink() }
  }

  private mutating func shrink() {
    storage.deallocate()
    capacity = Self.insertionLimit
    storage = .allocate(capacity: capacity)
  }

  /// Whether the ``Field/head`` of any field is one that `isWanted`.
  @inline(__always)
  package func containsHead(_ isWanted: (UInt32) -> Bool) -> Bool {
    var index = 0
    while index < count {
      if isWanted(storage[index].head) { return true }
      index &+= 1
    }
    return false
  }

  /// Adds a field and says whether its key is new. Beyond a few dozen fields the answer is always true, and
  /// ``sort()`` tells of a key that came twice.
  @inline(__always)
  package mutating func add(_ key: ByteSlice, _ value: ByteSlice) -> Bool {
    // Room for one more than the fields: a repeated key is found only after the greater ones have moved up.
    if count + 1 >= capacity { grow() }
    let field = Field(key, value)
    // Loggers sort their fields: most are greater than the one before.
    if count == 0 || storage[count &- 1].order < field.order && isSorted {
      storage[count] = field
      count &+= 1
      return true
    }
    if count >= Self.insertionLimit {
      storage[count] = field
      count += 1
      isSorted = false
      return true
    }
    var index = count
    while index > 0 {
      let order = storage[index - 1].compare(field)
      if order < 0 { break }
      if order == 0 { return closeGap(at: index) }
      storage[index] = storage[index - 1]
      index -= 1
    }
    storage[index] = field
    count += 1
    return true
  }

  /// Moves the fields after a gap back over it, because the last `add` found that its key was already there.
  private mutating func closeGap(at gap: Int) -> Bool {
    for index in gap..<count { storage[index] = storage[index + 1] }
    return false
  }

  /// Sets the value of a key, new or not.
  package mutating func set(_ key: ByteSlice, _ value: ByteSlice) {
    for index in 0..<count where storage[index].key.equals(key) {
      storage[index].value = value
      return
    }
    _ = add(key, value)
  }

  package func value(of key: StaticString) -> ByteSlice? {
    for index in 0..<count where storage[index].key == key { return storage[index].value }
    return nil
  }

  package func value(of key: ByteSlice) -> ByteSlice? {
    for index in 0..<count where storage[index].key.equals(key) { return storage[index].value }
    return nil
  }

  /// Removes a field and returns its value.
  @discardableResult
  package mutating func remove(_ key: StaticString) -> ByteSlice? {
    for index in 0..<count where storage[index].key == key {
      let value = storage[index].value
      for later in index..<(count - 1) { storage[later] = storage[later + 1] }
      count -= 1
      return value
    }
    return nil
  }

  /// Sorts the fields, and returns a key that occurs more than once.
  @inline(__always)
  package mutating func sort() -> ByteSlice? {
    isSorted ? nil : sortAll(keepingLast: false)
  }

  /// Sorts the fields; of several with the same key, the last one added stays.
  package mutating func sortKeepingLast() {
    if !isSorted { _ = sortAll(keepingLast: true) }
  }

  private mutating func sortAll(keepingLast: Bool) -> ByteSlice? {
    isSorted = true
    // Swift's sort is stable, so equal keys stay in the order in which they were added.
    var fields = UnsafeMutableBufferPointer(start: storage, count: count)
    fields.sort { $0.compare($1) < 0 }
    var kept = 0
    var repeated: ByteSlice?
    for index in 0..<count {
      if kept > 0, storage[kept - 1].compare(storage[index]) == 0 {
        repeated = storage[index].key
        if keepingLast { storage[kept - 1] = storage[index] }
      } else {
        storage[kept] = storage[index]
        kept += 1
      }
    }
    count = kept
    return repeated
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Field>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: storage, count: count)
    storage.deallocate()
    storage = larger
    capacity *= 2
  }
}
