import Bytes

/// The runtime's own logfmt, one record a line, as this tool and others read it.
package struct LogfmtFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    let count = record.fields.count
    // The names of the known keys and their signs are under 128 bytes; each extra field has at most 9 bytes around its
    // texts, and a byte becomes at most `\ufffd`.
    var line = out.cursor(reserving: 256 + count * 16 + record.textLength * LogfmtText.growth)
    line.put("time=\"")
    line.put { record.writeTime(rfc3339Full: $0) }
    line.put(0x22)
    Self.put(" level=", record.level, &line)
    Self.put(" msg=", record.message, &line)
    Self.put(" name=", record.name, &line)
    if record.pid != 0 {
      line.put(" pid=")
      line.put(decimal: Int64(record.pid))
    }
    Self.put(" source=", record.source, &line)
    Self.put(" sandbox=", record.sandbox, &line)
    Self.put(" container=", record.container, &line)
    for index in 0..<count {
      let field = record.fields[index]
      line.put(0x20)
      let known = KnownKey(field.key)
      if known != nil, known != .request { line.put("data.") }
      LogfmtText.put(key: field.key, &line)
      line.put(0x3d)
      LogfmtText.put(field.value, &line)
    }
    line.put(0x0a)
    out.commit(line)
  }

  @inline(__always)
  private static func put(_ head: StaticString, _ text: ByteSlice, _ line: inout OutputBuffer.Cursor) {
    if text.isEmpty { return }
    line.put(head)
    LogfmtText.put(text, &line)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

/// Keys and values of logfmt, quoted as Go's `go-logfmt` quotes them. What is not UTF-8 becomes U+FFFD.
enum LogfmtText {
  static let growth = 6

  /// Writes a value: bare where it can be, else between quotes with JSON's escapes.
  @inline(__always)
  static func put(_ text: ByteSlice, _ line: inout OutputBuffer.Cursor) {
    if isBare(text) { return line.put(text) }
    line.put(0x22)
    putEscaped(text, &line)
    line.put(0x22)
  }

  @inline(__always)
  private static func isBare(_ text: ByteSlice) -> Bool {
    var index = 0
    while index < text.count {
      let v = ByteScanner.load(text.base + index)
      // As signed bytes, those that are no ASCII are below the space too.
      let low = unsafeBitCast(v, to: SIMD16<Int8>.self) .<= SIMD16<Int8>(repeating: 0x20)
      let marks = (v .== ByteScanner.Lanes(repeating: 0x3d)) .| (v .== ByteScanner.Lanes(repeating: 0x22))
      let rest = (v .== ByteScanner.Lanes(repeating: 0x5c)) .| (v .== ByteScanner.Lanes(repeating: 0x7f))
      let found = ByteScanner.bits((low .| marks) .| rest)
      if found & ByteScanner.lanes(under: min(16, text.count - index)) != 0 { return false }
      index += 16
    }
    return true
  }

  private static func putEscaped(_ text: ByteSlice, _ line: inout OutputBuffer.Cursor) {
    if text.isPlain { return line.put(text) }
    var index = 0
    while index < text.count {
      let byte = text[index]
      switch byte {
      case 0x22: line.put("\\\"")
      case 0x5c:
        // The format's readers take `\\x` for a broken escape; this is the same character.
        line.put(index + 1 < text.count && text[index + 1] == 0x78 ? "\\u005c" : "\\\\")
      case 0x0a: line.put("\\n")
      case 0x0d: line.put("\\r")
      case 0x09: line.put("\\t")
      case 0..<0x20, 0x7f:
        line.put("\\u00")
        line.put(hex: byte)
      case 0x80...:
        let (scalar, length) = UTF8Scalar.decode(text, at: index)
        if scalar == nil {
          line.put("\\ufffd")
        } else {
          for offset in 0..<length { line.put(text[index + offset]) }
        }
        index += length
        continue
      default: line.put(byte)
      }
      index += 1
    }
  }

  /// Writes a key; bytes that no key can have become `_`.
  static func put(key: ByteSlice, _ line: inout OutputBuffer.Cursor) {
    if key.isEmpty { return line.put(0x5f) }
    if isBare(key) { return line.put(key) }
    var index = 0
    while index < key.count {
      let byte = key[index]
      if byte < 0x80 {
        line.put(byte <= 0x20 || byte == 0x3d || byte == 0x22 || byte == 0x7f ? 0x5f : byte)
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(key, at: index)
      if let scalar, scalar.value != 0xfffd, scalar.properties.generalCategory != .control {
        for offset in 0..<length { line.put(key[index + offset]) }
      } else {
        line.put(0x5f)
      }
      index += length
    }
  }
}
