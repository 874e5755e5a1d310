import Bytes

extension Record {
  /// Copies all texts into the record's own arena, so that it no longer depends on the buffer that it was read from.
  mutating func ownTexts() {
    level = arena.copy(level)
    message = arena.copy(message)
    source = arena.copy(source)
    name = arena.copy(name)
    container = arena.copy(container)
    sandbox = arena.copy(sandbox)
    var owned: [(key: ByteSlice, value: ByteSlice)] = []
    owned.reserveCapacity(fields.count)
    for index in 0..<fields.count {
      owned.append((arena.copy(fields[index].key), arena.copy(fields[index].value)))
    }
    fields.removeAll()
    for (key, value) in owned { setField(key, value) }
    fields.sortKeepingLast()
  }
}
