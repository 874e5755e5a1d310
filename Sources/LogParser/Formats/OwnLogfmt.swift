import Bytes
import Glibc

/// The mark of a logfmt line of this tool that the strict rules would refuse or change when it is read back:
/// `kata-log-parser-logfmt=1`, the line's last pair.
///
/// In such a line `\u{…}` means a character, and `\u{}` nothing. The line is plain logfmt to every other reader, which
/// sees the escapes and no unprintable characters. See `formats/output/logfmt`.
enum OwnLogfmt {
  static var key: StaticString { "kata-log-parser-logfmt" }
  static var suffix: StaticString { " kata-log-parser-logfmt=1" }

  @inline(__always)
  static func isMarked(_ line: ByteSlice) -> Bool {
    line.count > 25 && line[line.count - 1] == UInt8(ascii: "1") && line.hasSuffix(suffix)
  }

  /// Whether a key of `Data` is written with the prefix `data.`, because the record itself has a field of this name.
  @inline(__always)
  static func isPrefixed(_ key: ByteSlice) -> Bool {
    guard let known = KnownKey(key) else { return false }
    return known != .request
  }

  /// Whether a key of `Data` could be mistaken for one with a special meaning.
  @inline(__always)
  static func isReserved(_ key: ByteSlice) -> Bool {
    guard key.count > 5, key[0] == UInt8(ascii: "d") || key[0] == UInt8(ascii: "k") else { return false }
    return key.hasPrefix("data.") && isPrefixed(key.dropFirst(5)) || key == Self.key
  }

  /// Turns a record that was read from a marked line into the record that was written.
  static func restore(_ record: inout Record) {
    record.fields.remove(key)
    record.level = unescaped(record.level, &record.arena)
    record.message = unescaped(record.message, &record.arena)
    record.name = unescaped(record.name, &record.arena)
    record.source = unescaped(record.source, &record.arena)
    record.sandbox = unescaped(record.sandbox, &record.arena)
    record.container = unescaped(record.container, &record.arena)
    var fields: [(key: ByteSlice, value: ByteSlice)] = []
    fields.reserveCapacity(record.fields.count)
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      fields.append((field.key, field.value))
    }
    record.fields.removeAll()
    for (key, value) in fields {
      let rest = key.dropFirst(5)
      let isPrefixed = key.hasPrefix("data.") && isPrefixed(rest)
      record.setField(isPrefixed ? rest : unescaped(key, &record.arena), unescaped(value, &record.arena))
    }
    record.fields.sortKeepingLast()
  }

  /// The text with its escapes replaced; anything that only looks like one is unchanged.
  private static func unescaped(_ text: ByteSlice, _ arena: inout Arena) -> ByteSlice {
    guard text.range(of: "\\u{") != nil else { return text }
    let out = arena.reserve(text.count)
    var count = 0
    var index = 0
    while index < text.count {
      if let (scalar, length) = escape(text, at: index) {
        // An escape has at least four bytes, and five if it means a character.
        if let scalar { count += UTF8Scalar.encode(scalar.value, to: out + count) }
        index += length
      } else {
        out[count] = text[index]
        count += 1
        index += 1
      }
    }
    return arena.commit(count)
  }

  /// The escape at `index`: its character, nil for the empty one, and its length.
  private static func escape(_ text: ByteSlice, at index: Int) -> (Unicode.Scalar?, Int)? {
    guard text[index] == UInt8(ascii: "\\"), text.dropFirst(index).hasPrefix("\\u{") else { return nil }
    var end = index + 3
    var value: UInt32 = 0
    while end < text.count, end - index < 9, let digit = HexDigit.value(text[end]) {
      value = value << 4 | digit
      end += 1
    }
    guard end < text.count, text[end] == UInt8(ascii: "}") else { return nil }
    if end == index + 3 { return (nil, 4) }
    guard let scalar = Unicode.Scalar(value) else { return nil }
    return (scalar, end - index + 1)
  }
}
