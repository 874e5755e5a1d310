import Basics

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
    out.append("\n[[Entries]]\n    Time = ")
    // Readers convert to UTC, and theirs ends where the years 1 to 9999 do: outside it the time is a string.
    let isQuoted = !record.time.isInCommonRange
    if isQuoted { out.append(0x22) }
    out.append(upTo: Timestamp.maximumLength) { record.time.write(rfc3339: $0) }
    if isQuoted { out.append(0x22) }
    out.append("\n    Filename = \"")
    TOMLText.append(place.filename, to: &out)
    out.append("\"\n    Level = \"")
    TOMLText.append(record.level, to: &out)
    out.append("\"\n    Msg = \"")
    TOMLText.append(record.message, to: &out)
    out.append("\"\n    Source = \"")
    TOMLText.append(record.source, to: &out)
    out.append("\"\n    Name = \"")
    TOMLText.append(record.name, to: &out)
    out.append("\"\n    Container = \"")
    TOMLText.append(record.container, to: &out)
    out.append("\"\n    Sandbox = \"")
    TOMLText.append(record.sandbox, to: &out)
    out.append("\"\n    Line = ")
    out.append(decimal: Int64(clamping: record.line))
    out.append("\n    Count = ")
    out.append(decimal: Int64(clamping: place.count))
    out.append("\n    TimeDelta = ")
    out.append(decimal: place.delta)
    out.append("\n    Pid = ")
    out.append(decimal: Int64(record.pid))
    out.append("\n    [Entries.Data]\n")
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      out.append("        ")
      TOMLText.append(key: field.key, to: &out)
      out.append(" = \"")
      TOMLText.append(field.value, to: &out)
      out.append("\"\n")
    }
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

extension Timestamp {
  /// Whether the instant lies in the years 1 to 9999 in UTC, which all readers of dates know.
  var isInCommonRange: Bool {
    seconds >= Timestamp.unset.seconds && seconds < Timestamp.representableSeconds.upperBound
  }
}

/// Keys and basic strings of TOML. What is not UTF-8 becomes U+FFFD.
enum TOMLText {
  /// Writes the inside of a basic string.
  @inline(__always)
  static func append(_ text: ByteSlice, to out: inout OutputBuffer) {
    if text.isPlain || text.isEmpty { out.append(text) } else { appendEscaped(text, to: &out) }
  }

  /// Writes a key: bare where that is possible, else as a basic string.
  @inline(__always)
  static func append(key: ByteSlice, to out: inout OutputBuffer) {
    if isBare(key) {
      out.append(key)
    } else {
      out.append(0x22)
      append(key, to: &out)
      out.append(0x22)
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

  private static func appendEscaped(_ text: ByteSlice, to out: inout OutputBuffer) {
    out.reserve(text.count * 6)
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        switch byte {
        case 0x22: out.append("\\\"")
        case 0x5c: out.append("\\\\")
        case 0x08: out.append("\\b")
        case 0x09: out.append("\\t")
        case 0x0a: out.append("\\n")
        case 0x0c: out.append("\\f")
        case 0x0d: out.append("\\r")
        case 0..<0x20, 0x7f:
          out.append("\\u00")
          out.append(hex: byte)
        default: out.append(byte)
        }
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if scalar == nil {
        out.append("\u{fffd}")
      } else {
        for offset in 0..<length { out.append(text[index + offset]) }
      }
      index += length
    }
  }
}
