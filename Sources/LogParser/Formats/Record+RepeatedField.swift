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
    let name = arena.copy(key)
    if fields.add(name, value) { return }
    guard let stated = fields.value(of: key), !stated.equals(value) else { return }
    fields.set(name, value)
    addField(name, stated)
  }
}
