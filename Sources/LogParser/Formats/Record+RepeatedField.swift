import Bytes

/// Fields whose keys are there already: neither value is lost.
extension Record {
  /// Adds a field; one whose key was there already becomes `key.1`, `key.2` and so on.
  mutating func addField(_ key: ByteSlice, _ value: ByteSlice) {
    var name = key
    var number = 0
    while fields.value(of: name) != nil {
      number += 1
      name = arena.join(key, UInt8(ascii: "."), arena.copy(String(number)))
    }
    _ = fields.add(name, value)
  }

  /// Sets an extra field of the program's own. What the record itself says under this name becomes `key.1`.
  mutating func setFieldKeeping(_ key: StaticString, _ value: ByteSlice) {
    setFieldKeeping(arena.copy(key), value)
  }

  /// Sets an extra field. The value that was there under its key becomes `key.1`.
  @inline(__always)
  mutating func setFieldKeeping(_ key: ByteSlice, _ value: ByteSlice) {
    if !fields.add(key, value) { replaceField(key, value) }
  }

  @inline(never)
  private mutating func replaceField(_ key: ByteSlice, _ value: ByteSlice) {
    guard let stated = fields.value(of: key), !stated.equals(value) else { return }
    fields.set(key, value)
    addField(key, stated)
  }

  /// Sets a field that has a place of its own, as ``set(_:_:leastPid:)`` does. The value that was there becomes a field.
  mutating func setKeeping(_ known: KnownKey, _ key: ByteSlice, _ value: ByteSlice) -> Bool {
    let stated =
      switch known {
      case .name: name
      case .container: container
      case .sandbox: sandbox
      case .pid where pid != 0: arena.copy(String(pid))
      default: ByteSlice.empty
      }
    guard set(known, value, leastPid: 0) else { return false }
    if !stated.isEmpty, !stated.equals(value) { addField(key, stated) }
    return true
  }
}
