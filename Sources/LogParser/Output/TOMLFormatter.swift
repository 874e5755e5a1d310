import Bytes

/// A TOML document (https://toml.io/en/v1.0.0) with an array of tables, `[[Entries]]`.
package struct TOMLFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    ClassicFormat.appendHeader(to: &out)
    out.append("FormatVersion = \"")
    out.append(ClassicFormat.version)
    out.append("\"\n")
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    var line = out.cursor(
      reserving: 512 + record.fields.count * 32 + (record.textLength + place.filename.count) * TOMLText.growth
    )
    line.put("\n[[Entries]]\n    Time = ")
    // Readers convert to UTC and support the years 1 to 9999 only: other times are written as strings.
    let isQuoted = !record.time.isInCommonRange
    if isQuoted { line.put(0x22) }
    line.put { record.writeTime(rfc3339: $0) }
    if isQuoted { line.put(0x22) }
    line.put("\n    Filename = \"")
    TOMLText.put(place.filename, to: &line)
    line.put("\"\n    Level = \"")
    TOMLText.put(record.level, to: &line)
    line.put("\"\n    Msg = \"")
    TOMLText.put(record.message, to: &line)
    line.put("\"\n    Source = \"")
    TOMLText.put(record.source, to: &line)
    line.put("\"\n    Name = \"")
    TOMLText.put(record.name, to: &line)
    line.put("\"\n    Container = \"")
    TOMLText.put(record.container, to: &line)
    line.put("\"\n    Sandbox = \"")
    TOMLText.put(record.sandbox, to: &line)
    line.put("\"\n    Line = ")
    line.put(decimal: record.line)
    line.put("\n    Count = ")
    line.put(decimal: place.count)
    line.put("\n    TimeDelta = ")
    line.put(decimal: place.delta)
    line.put("\n    Pid = ")
    line.put(decimal: Int64(record.pid))
    line.put("\n    [Entries.Data]\n")
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      line.put("        ")
      TOMLText.put(key: field.key, to: &line)
      line.put(" = \"")
      TOMLText.put(field.value, to: &line)
      line.put("\"\n")
    }
    out.commit(line)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

extension Timestamp {
  /// Whether the instant is in the years 1 to 9999 in UTC, which all readers of dates support.
  var isInCommonRange: Bool {
    seconds >= Timestamp.unset.seconds && seconds < Timestamp.representableSeconds.upperBound
  }
}

/// Keys and basic strings of TOML. Bytes that are not UTF-8 become U+FFFD.
enum TOMLText {
  /// The maximum output size of one byte of text: `\u001b`.
  static let growth = 6

  /// Writes the inside of a basic string.
  @inline(__always)
  static func put(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    if text.isPlain || text.isEmpty { out.put(text) } else { putEscaped(text, to: &out) }
  }

  /// Writes a key: bare if possible, otherwise as a basic string.
  @inline(__always)
  static func put(key: ByteSlice, to out: inout OutputBuffer.Cursor) {
    if isBare(key) {
      out.put(key)
    } else {
      out.put(0x22)
      put(key, to: &out)
      out.put(0x22)
    }
  }

  private static func isBare(_ key: ByteSlice) -> Bool {
    for byte in key.bytes {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d: continue
      default: return false
      }
    }
    return !key.isEmpty
  }

  private static func putEscaped(_ text: ByteSlice, to out: inout OutputBuffer.Cursor) {
    var index = 0
    while true {
      let run = text.plainPrefix(from: index)
      out.put(text.part(index, index + run, isPlain: true))
      index += run
      guard index < text.count else { return }
      let byte = text[index]
      if byte < 0x80 {
        switch byte {
        case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x7f: out.put(escaped: byte)
        default: out.put(byte)
        }
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if scalar == nil {
        out.put("\u{fffd}")
      } else {
        for offset in 0..<length { out.put(text[index + offset]) }
      }
      index += length
    }
  }
}
