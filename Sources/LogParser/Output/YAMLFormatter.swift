import Bytes

/// A YAML 1.1 document with a list of records under `entries`, and lower-case keys.
package struct YAMLFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    ClassicFormat.appendHeader(to: &out)
    out.append("formatversion: ")
    out.append(ClassicFormat.version)
    out.append("\nentries:")
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    var line = out.cursor(
      reserving: 1024 + record.fields.count * YAMLText.fieldOverhead
        + (record.textLength + place.filename.count) * YAMLText.growth)
    line.put(place.count == 1 ? "\n- data:" : "- data:")
    if record.fields.isEmpty {
      line.put(" {}\n")
    } else {
      line.put(0x0a)
      putData(record.fields, to: &line)
    }
    line.put("  time: ")
    // PyYAML fails on a time outside the years 1 to 9999 in UTC, so such a time is a string.
    let isQuoted = !record.time.isInCommonRange
    if isQuoted { line.put(0x22) }
    line.put { record.writeTime(rfc3339: $0) }
    if isQuoted { line.put(0x22) }
    line.put("\n  filename")
    YAMLText.putValue(place.filename, afterColumn: 10, indent: 2, to: &line)
    line.put("  level")
    YAMLText.putValue(record.level, afterColumn: 7, indent: 2, to: &line)
    line.put("  msg")
    YAMLText.putValue(record.message, afterColumn: 5, indent: 2, to: &line)
    line.put("  source")
    YAMLText.putValue(record.source, afterColumn: 8, indent: 2, to: &line)
    line.put("  name")
    YAMLText.putValue(record.name, afterColumn: 6, indent: 2, to: &line)
    line.put("  container")
    YAMLText.putValue(record.container, afterColumn: 11, indent: 2, to: &line)
    line.put("  sandbox")
    YAMLText.putValue(record.sandbox, afterColumn: 9, indent: 2, to: &line)
    line.put("  line: ")
    line.put(decimal: record.line)
    line.put("\n  count: ")
    line.put(decimal: place.count)
    line.put("\n  timedelta: ")
    line.put(decimal: place.delta)
    line.put("\n  pid: ")
    line.put(decimal: Int64(record.pid))
    line.put(0x0a)
    out.commit(line)
  }

  /// The extra fields in the order in which Go's encoder writes the keys of a map: text by letters, numbers by value.
  private func putData(_ fields: borrowing FieldList, to out: inout OutputBuffer.Cursor) {
    let count = fields.count
    if Self.isInNaturalOrder(fields) {
      for index in 0..<count {
        let field = fields[index]
        YAMLText.put(key: field.key, field.value, indent: 4, to: &out)
      }
      return
    }
    var order = Array(0..<count)
    order.sort { NaturalOrder.precedes(fields[$0].key, fields[$1].key) }
    for index in order {
      let field = fields[index]
      YAMLText.put(key: field.key, field.value, indent: 4, to: &out)
    }
  }

  private static func isInNaturalOrder(_ fields: borrowing FieldList) -> Bool {
    var index = 1
    while index < fields.count {
      let key = fields[index].key
      let before = fields[index - 1].key
      index += 1
      // Fields are in byte order, which is also the natural order if the first letters differ.
      if !key.isEmpty, !before.isEmpty, key[0] != before[0], key[0].isLetter, before[0].isLetter {
        continue
      }
      if NaturalOrder.precedes(key, before) { return false }
    }
    return true
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {
    out.append(count == 0 ? " []\n\n" : "\n")
  }
}

/// The order of keys in Go's `yaml.v2`: letters before everything else, runs of digits by value.
enum NaturalOrder {
  static func precedes(_ a: ByteSlice, _ b: ByteSlice) -> Bool {
    var i = 0
    // The first difference; the bytes before it, and so the characters, are the same.
    let shorter = min(a.count, b.count)
    while i < shorter, a[i] == b[i] { i += 1 }
    while i > 0, i < a.count, a[i] & 0xc0 == 0x80 { i -= 1 }
    guard i < a.count, i < b.count else { return a.count < b.count }
    let first = scalar(a, i)
    let second = scalar(b, i)
    if first.isLetter && second.isLetter { return first.value < second.value }
    if first.isLetter || second.isLetter { return second.isLetter }
    return precedesByNumber(a, b, i, first.value, second.value)
  }

  private static func precedesByNumber(
    _ a: ByteSlice, _ b: ByteSlice, _ start: Int, _ first: UInt32, _ second: UInt32
  ) -> Bool {
    var leftNumber: Int64 = 0
    var rightNumber: Int64 = 0
    if a[start] == 0x30 || b[start] == 0x30 {
      var j = start - 1
      while j >= 0, a[j].isDigit {
        if a[j] != 0x30 {
          leftNumber = 1
          rightNumber = 1
          break
        }
        j -= 1
      }
    }
    let leftEnd = number(a, start, &leftNumber)
    let rightEnd = number(b, start, &rightNumber)
    if leftNumber != rightNumber { return leftNumber < rightNumber }
    if leftEnd != rightEnd { return leftEnd < rightEnd }
    return first < second
  }

  private static func number(_ text: ByteSlice, _ start: Int, _ value: inout Int64) -> Int {
    var index = start
    while index < text.count, text[index].isDigit {
      value = Self.appending(text[index], to: value)
      index += 1
    }
    return index
  }

  /// The number with one more digit. It wraps on overflow, as in the original, so that the order is the same.
  private static func appending(_ digit: UInt8, to value: Int64) -> Int64 {
    let scaled = value.multipliedReportingOverflow(by: 10).partialValue
    return scaled.addingReportingOverflow(Int64(digit) - 0x30).partialValue
  }

  private static func scalar(_ text: ByteSlice, _ index: Int) -> (value: UInt32, isLetter: Bool) {
    let byte = text[index]
    if byte < 0x80 { return (UInt32(byte), byte.isLetter) }
    guard let scalar = UTF8Scalar.decode(text, at: index).0 else { return (0xfffd, false) }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return (scalar.value, true)
    default: return (scalar.value, false)
    }
  }
}
