import Bytes

/// The runtime's own logfmt, one record per line, which this tool and others can read.
package struct LogfmtFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    let count = record.fields.count
    // The names of the known keys, their signs and the mark are under 192 bytes; each extra field has at most 14 bytes
    // around its texts, and a byte becomes at most `\\u{1b}`.
    var line = out.cursor(reserving: 256 + count * 16 + record.textLength * LogfmtText.growth)
    var isMarked = !RecordCheck.isComplete(record)
    line.put("time=\"")
    line.put { record.writeTime(rfc3339Full: $0) }
    line.put(0x22)
    Self.put(" level=", record.level, &line, &isMarked)
    Self.put(" msg=", record.message, &line, &isMarked)
    Self.put(" name=", record.name, &line, &isMarked)
    if record.pid != 0 {
      line.put(" pid=")
      line.put(decimal: Int64(record.pid))
    }
    Self.put(" source=", record.source, &line, &isMarked)
    Self.put(" sandbox=", record.sandbox, &line, &isMarked)
    Self.put(" container=", record.container, &line, &isMarked)
    for index in 0..<count {
      let field = record.fields[index]
      line.put(0x20)
      switch KnownKey(field.key) {
      case nil:
        LogfmtText.put(key: field.key, &line, &isMarked, isReserved: OwnLogfmt.isReserved(field.key))
      case .request:
        LogfmtText.put(key: field.key, &line, &isMarked, isReserved: Self.setsContainer(field, record))
      default:
        isMarked = true
        line.put("data.")
        line.put(field.key)
      }
      line.put(0x3d)
      LogfmtText.put(field.value, &line, &isMarked)
    }
    if isMarked { line.put(OwnLogfmt.suffix) }
    line.put(0x0a)
    out.commit(line)
  }

  /// Whether the request names another container than the record's, which it would replace when the line is read back.
  private static func setsContainer(_ field: Field, _ record: borrowing Record) -> Bool {
    guard let container = Record.containerID(inRequest: field.value) else { return false }
    return !container.equals(record.container)
  }

  @inline(__always)
  private static func put(
    _ head: StaticString, _ text: ByteSlice, _ line: inout OutputBuffer.Cursor, _ isMarked: inout Bool
  ) {
    if text.isEmpty { return }
    line.put(head)
    LogfmtText.put(text, &line, &isMarked)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

/// Keys and values of logfmt, quoted as Go's `go-logfmt` quotes them. What is not UTF-8 becomes U+FFFD, and what the
/// rules of reading refuse becomes `\u{…}` (``OwnLogfmt``).
enum LogfmtText {
  static let growth = 7

  /// Writes a value: bare if possible, otherwise in quotes with JSON's escapes.
  ///
  /// - Parameter isMarked: set to true if the line must have ``OwnLogfmt``'s mark.
  @inline(__always)
  static func put(_ text: ByteSlice, _ line: inout OutputBuffer.Cursor, _ isMarked: inout Bool) {
    if isBare(text) { return line.put(text) }
    line.put(0x22)
    putEscaped(text, &line, &isMarked)
    line.put(0x22)
  }

  /// Whether the text is written as it is, without quotes. Plain text can only have a space or a `=` that forbids it.
  @inline(__always)
  private static func isBare(_ text: ByteSlice) -> Bool {
    text.isPlain
      ? !text.contains(0x20, or: 0x3d) : text.isBareWord && TextCheck.firstRefused(in: text) == nil
  }

  private static func putEscaped(
    _ text: ByteSlice, _ line: inout OutputBuffer.Cursor, _ isMarked: inout Bool
  ) {
    if text.isPlain { return line.put(text) }
    var index = 0
    while index < text.count {
      let (isRefused, length) = TextCheck.look(text, at: index)
      if isRefused || beginsEscape(text, at: index) {
        // The backslash itself is escaped, as always in quotes.
        line.put(0x5c)
        putEscape(UTF8Scalar.decode(text, at: index).0, &line)
        isMarked = true
      } else {
        putCharacter(text, at: index, length, &line)
      }
      index += length
    }
  }

  /// Whether the text itself contains something that would be read as an escape.
  @inline(__always)
  private static func beginsEscape(_ text: ByteSlice, at index: Int) -> Bool {
    text[index] == 0x5c && index + 2 < text.count && text[index + 1] == 0x75 && text[index + 2] == 0x7b
  }

  /// Writes `\u{…}`; without a character it means nothing.
  private static func putEscape(_ scalar: Unicode.Scalar?, _ line: inout OutputBuffer.Cursor) {
    line.put("\\u{")
    if let scalar {
      var shift: UInt32 = 20
      while shift > 0, scalar.value >> shift == 0 { shift -= 4 }
      while true {
        let digit = UInt8(truncatingIfNeeded: scalar.value >> shift & 15)
        line.put(HexDigit.character(digit))
        if shift == 0 { break }
        shift -= 4
      }
    }
    line.put(UInt8(ascii: "}"))
  }

  private static func putCharacter(
    _ text: ByteSlice, at index: Int, _ length: Int, _ line: inout OutputBuffer.Cursor
  ) {
    let byte = text[index]
    switch byte {
    // The format's readers treat `\\x` as a broken escape; this is the same character.
    case UInt8(ascii: "\\") where index + 1 < text.count && text[index + 1] == UInt8(ascii: "x"):
      line.put("\\u005c")
    case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x7f:
      line.put(escaped: byte, .withoutBackspaceAndFormFeed)
    case 0x80...:
      if UTF8Scalar.decode(text, at: index).0 == nil { return line.put("\\ufffd") }
      for offset in 0..<length { line.put(text[index + offset]) }
    default: line.put(byte)
    }
  }

  /// Writes a key, with escapes for characters that are not allowed in keys.
  ///
  /// - Parameter isReserved: whether the key must be escaped although it is valid.
  @inline(__always)
  static func put(
    key: ByteSlice, _ line: inout OutputBuffer.Cursor, _ isMarked: inout Bool, isReserved: Bool
  ) {
    if !isReserved, !key.isEmpty, isBare(key) { return line.put(key) }
    putEscaped(key: key, &line, &isMarked, isReserved: isReserved)
  }

  private static func putEscaped(
    key: ByteSlice, _ line: inout OutputBuffer.Cursor, _ isMarked: inout Bool, isReserved: Bool
  ) {
    if key.isEmpty {
      isMarked = true
      return putEscape(nil, &line)
    }
    var index = 0
    while index < key.count {
      let (isRefused, length) = TextCheck.look(key, at: index)
      let scalar = UTF8Scalar.decode(key, at: index).0
      if isRefused || isReserved && index == 0 || !isKeyCharacter(key, at: index, scalar) {
        putEscape(scalar ?? "\u{fffd}", &line)
        isMarked = true
      } else {
        for offset in 0..<length { line.put(key[index + offset]) }
      }
      index += length
    }
  }

  /// Whether a key can contain this character unescaped and is read back unchanged.
  private static func isKeyCharacter(_ key: ByteSlice, at index: Int, _ scalar: Unicode.Scalar?) -> Bool {
    switch key[index] {
    case 0...0x20, 0x22, 0x3d, 0x7f: return false
    // The backslash of `\x` would be doubled.
    case 0x5c:
      return !beginsEscape(key, at: index) && !(index + 1 < key.count && key[index + 1] == 0x78)
    case 0x80...:
      guard let scalar else { return false }
      return scalar != "\u{fffd}" && !scalar.properties.isWhitespace
    default: return true
    }
  }
}
