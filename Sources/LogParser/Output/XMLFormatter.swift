import Basics

/// An XML 1.0 document with an `<Entries>` element for each record.
///
/// An extra field is an element named by its key, where the key is a name without a colon; any other key makes
/// `<field name="key">`.
package struct XMLFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    out.append("<LogEntries>\n    <FormatVersion>")
    out.append(ClassicFormat.version)
    out.append("</FormatVersion>\n")
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    out.append("    <Entries>\n        <Data>")
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      appendField(field.key, field.value, to: &out)
    }
    out.append(record.fields.isEmpty ? "</Data>\n        <Time>" : "\n        </Data>\n        <Time>")
    out.append(upTo: Timestamp.maximumLength) { record.time.write(rfc3339: $0) }
    out.append("</Time>\n        <Filename>")
    XMLText.append(place.filename, escapingNewlines: true, to: &out)
    out.append("</Filename>\n        <Level>")
    XMLText.append(record.level, escapingNewlines: true, to: &out)
    out.append("</Level>\n        <Msg>")
    XMLText.append(record.message, escapingNewlines: true, to: &out)
    out.append("</Msg>\n        <Source>")
    XMLText.append(record.source, escapingNewlines: true, to: &out)
    out.append("</Source>\n        <Name>")
    XMLText.append(record.name, escapingNewlines: true, to: &out)
    out.append("</Name>\n        <Container>")
    XMLText.append(record.container, escapingNewlines: true, to: &out)
    out.append("</Container>\n        <Sandbox>")
    XMLText.append(record.sandbox, escapingNewlines: true, to: &out)
    out.append("</Sandbox>\n        <Line>")
    out.append(decimal: Int64(clamping: record.line))
    out.append("</Line>\n        <Count>")
    out.append(decimal: Int64(clamping: place.count))
    out.append("</Count>\n        <TimeDelta>")
    out.append(decimal: place.delta)
    out.append("</TimeDelta>\n        <Pid>")
    out.append(decimal: Int64(record.pid))
    out.append("</Pid>\n    </Entries>\n")
  }

  @inline(__always)
  private func appendField(_ key: ByteSlice, _ value: ByteSlice, to out: inout OutputBuffer) {
    let isName = XMLText.isName(key)
    out.append("\n            <")
    if isName {
      out.append(key)
    } else {
      out.append("field name=\"")
      XMLText.append(key, escapingNewlines: true, to: &out)
      out.append(0x22)
    }
    out.append(0x3e)
    XMLText.append(value, escapingNewlines: false, to: &out)
    out.append("</")
    if isName { out.append(key) } else { out.append("field") }
    out.append(0x3e)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) { out.append("</LogEntries>\n") }
}

/// Names and character data of XML 1.0, fifth edition (https://www.w3.org/TR/xml/). What XML cannot carry becomes
/// U+FFFD.
enum XMLText {
  @inline(__always)
  static func append(_ text: ByteSlice, escapingNewlines: Bool, to out: inout OutputBuffer) {
    if text.isEmpty || (text.isPlain && !text.contains(0x27)) {
      out.append(text)
    } else {
      appendEscaped(text, escapingNewlines, to: &out)
    }
  }

  private static func appendEscaped(
    _ text: ByteSlice, _ escapingNewlines: Bool, to out: inout OutputBuffer
  ) {
    out.reserve(text.count * 6)
    var index = 0
    while index < text.count {
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      switch scalar?.value ?? 0 {
      case 0x22: out.append("&#34;")
      case 0x27: out.append("&#39;")
      case 0x26: out.append("&amp;")
      case 0x3c: out.append("&lt;")
      case 0x3e: out.append("&gt;")
      case 0x09: out.append("&#x9;")
      case 0x0a: if escapingNewlines { out.append("&#xA;") } else { out.append(0x0a) }
      case 0x0d: out.append("&#xD;")
      case 0..<0x20, 0xfffe, 0xffff: out.append("\u{fffd}")
      default: for offset in 0..<length { out.append(text[index + offset]) }
      }
      index += length
    }
  }

  /// Whether `text` can name an element: an NCName (https://www.w3.org/TR/xml-names/#NT-NCName).
  static func isName(_ text: ByteSlice) -> Bool {
    guard let first = text.bytes.first else { return false }
    if first < 0x80, !isASCIINameStart(first) { return false }
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        guard isASCIINameStart(byte) || (0x30...0x39).contains(byte) || byte == 0x2d || byte == 0x2e
        else { return false }
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      guard let scalar, isNameStart(scalar.value) || (index > 0 && isNameOnly(scalar.value)) else {
        return false
      }
      index += length
    }
    return true
  }

  @inline(__always)
  private static func isASCIINameStart(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte == 0x5f
  }

  private static func isNameStart(_ value: UInt32) -> Bool {
    switch value {
    case 0xc0...0xd6, 0xd8...0xf6, 0xf8...0x2ff, 0x370...0x37d, 0x37f...0x1fff, 0x200c...0x200d,
      0x2070...0x218f, 0x2c00...0x2fef, 0x3001...0xd7ff, 0xf900...0xfdcf, 0xfdf0...0xfffd,
      0x1_0000...0xe_ffff:
      true
    default: false
    }
  }

  private static func isNameOnly(_ value: UInt32) -> Bool {
    value == 0xb7 || (0x300...0x36f).contains(value) || (0x203f...0x2040).contains(value)
  }
}
