import Bytes

/// An XML 1.0 document with an `<Entries>` element for each record.
///
/// An extra field is an element named by its key if every reader accepts the key as a name; otherwise it is
/// `<field name="key">`.
package struct XMLFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    out.append("<LogEntries>\n    <FormatVersion>")
    out.append(ClassicFormat.version)
    out.append("</FormatVersion>\n")
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    var line = out.cursor(
      reserving: 512 + record.fields.count * 64 + (record.textLength + place.filename.count) * XMLText.growth)
    line.put("    <Entries>\n        <Data>")
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      putField(field.key, field.value, to: &line)
    }
    line.put(record.fields.isEmpty ? "</Data>\n        <Time>" : "\n        </Data>\n        <Time>")
    line.put { record.writeTime(rfc3339: $0) }
    line.put("</Time>\n        <Filename>")
    XMLText.put(place.filename, escapingNewlines: true, to: &line)
    line.put("</Filename>\n        <Level>")
    XMLText.put(record.level, escapingNewlines: true, to: &line)
    line.put("</Level>\n        <Msg>")
    XMLText.put(record.message, escapingNewlines: true, to: &line)
    line.put("</Msg>\n        <Source>")
    XMLText.put(record.source, escapingNewlines: true, to: &line)
    line.put("</Source>\n        <Name>")
    XMLText.put(record.name, escapingNewlines: true, to: &line)
    line.put("</Name>\n        <Container>")
    XMLText.put(record.container, escapingNewlines: true, to: &line)
    line.put("</Container>\n        <Sandbox>")
    XMLText.put(record.sandbox, escapingNewlines: true, to: &line)
    line.put("</Sandbox>\n        <Line>")
    line.put(decimal: record.line)
    line.put("</Line>\n        <Count>")
    line.put(decimal: place.count)
    line.put("</Count>\n        <TimeDelta>")
    line.put(decimal: place.delta)
    line.put("</TimeDelta>\n        <Pid>")
    line.put(decimal: Int64(record.pid))
    line.put("</Pid>\n    </Entries>\n")
    out.commit(line)
  }

  @inline(__always)
  private func putField(_ key: ByteSlice, _ value: ByteSlice, to out: inout OutputBuffer.Cursor) {
    let isName = XMLText.isName(key)
    out.put("\n            <")
    if isName {
      out.put(key)
    } else {
      out.put("field name=\"")
      XMLText.put(key, escapingNewlines: true, to: &out)
      out.put(0x22)
    }
    out.put(0x3e)
    XMLText.put(value, escapingNewlines: false, to: &out)
    out.put("</")
    if isName { out.put(key) } else { out.put("field") }
    out.put(0x3e)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) { out.append("</LogEntries>\n") }
}

/// Names and character data of XML 1.0 (https://www.w3.org/TR/xml/). Characters that XML does not allow become U+FFFD.
enum XMLText {
  /// The maximum output size of one byte of text: `&#xA;`, or itself twice for a key, which is written twice.
  static let growth = 6

  @inline(__always)
  static func put(_ text: ByteSlice, escapingNewlines: Bool, to out: inout OutputBuffer.Cursor) {
    if text.isEmpty || (text.isPlain && !text.contains(0x27)) {
      out.put(text)
    } else {
      putEscaped(text, escapingNewlines, to: &out)
    }
  }

  private static func putEscaped(
    _ text: ByteSlice, _ escapingNewlines: Bool, to out: inout OutputBuffer.Cursor
  ) {
    var index = 0
    while true {
      let run = text.plainPrefix(from: index, until: UInt8(ascii: "'"))
      out.put(text.part(index, index + run, isPlain: true))
      index += run
      guard index < text.count else { return }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      switch scalar?.value ?? 0 {
      case 0x22: out.put("&#34;")
      case 0x27: out.put("&#39;")
      case 0x26: out.put("&amp;")
      case 0x3c: out.put("&lt;")
      case 0x3e: out.put("&gt;")
      case 0x09: out.put("&#x9;")
      case 0x0a: if escapingNewlines { out.put("&#xA;") } else { out.put(0x0a) }
      case 0x0d: out.put("&#xD;")
      case 0..<0x20, 0xfffe, 0xffff: out.put("\u{fffd}")
      default: for offset in 0..<length { out.put(text[index + offset]) }
      }
      index += length
    }
  }

  /// The longest key that names an element: libxml2 refuses names of more than 50,000 bytes.
  private static let longestName = 1024

  /// Whether every reader accepts `text` as the name of an element.
  ///
  /// Readers follow different editions of XML. The fifth allows most characters in names
  /// (https://www.w3.org/TR/xml/#NT-NameStartChar), the four before it those of a table of Unicode 2
  /// (https://www.w3.org/TR/2006/REC-xml-20060816/#CharClasses), which expat, Go and .NET still follow. So the accepted
  /// names are ASCII names and the letters common to all. A colon would mean a namespace; names that begin with `xml`
  /// are reserved.
  static func isName(_ text: ByteSlice) -> Bool {
    guard let first = text.bytes.first, text.count <= longestName, !isReserved(text) else { return false }
    if first < 0x80, !isASCIINameStart(first) { return false }
    // Nearly every name is a word of letters.
    var index = text.bytes.firstIndex { !isASCIINameStart($0) } ?? text.count
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        guard isASCIINameStart(byte) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x2e
        else { return false }
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      guard let scalar, isCommonLetter(scalar.value) else { return false }
      index += length
    }
    return true
  }

  @inline(__always)
  private static func isASCIINameStart(_ byte: UInt8) -> Bool {
    byte.isLetter || byte == 0x5f
  }

  private static func isReserved(_ text: ByteSlice) -> Bool {
    text.count >= 3 && text[0] | 0x20 == UInt8(ascii: "x") && text[1] | 0x20 == UInt8(ascii: "m")
      && text[2] | 0x20 == UInt8(ascii: "l")
  }

  /// The non-ASCII letters of the most common scripts that every edition allows anywhere in a name.
  private static func isCommonLetter(_ value: UInt32) -> Bool {
    switch value {
    // Latin.
    case 0xc0...0xd6, 0xd8...0xf6, 0xf8...0x131, 0x134...0x13e, 0x141...0x148, 0x14a...0x17e: true
    // Greek and Cyrillic.
    case 0x388...0x38a, 0x38e...0x3a1, 0x3a3...0x3ce, 0x401...0x40c, 0x40e...0x44f, 0x451...0x45c: true
    // Hebrew and Arabic.
    case 0x5d0...0x5ea, 0x621...0x63a, 0x641...0x64a: true
    // Kana, ideographs and Hangul.
    case 0x3041...0x3094, 0x30a1...0x30fa, 0x4e00...0x9fa5, 0xac00...0xd7a3: true
    default: false
    }
  }
}
