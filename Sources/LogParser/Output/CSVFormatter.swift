import Basics

/// Comma-separated values: a line of field names, then a line a record, the extra fields as one.
package struct CSVFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    out.append(ClassicFormat.fieldNames)
    out.append(0x0a)
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    appendData(record.fields, to: &out)
    out.append(0x2c)
    out.append(upTo: Timestamp.maximumLength) { record.time.write(text: $0) }
    out.append(0x2c)
    CSVText.append(place.filename, to: &out)
    out.append(0x2c)
    CSVText.append(record.level, to: &out)
    out.append(0x2c)
    CSVText.append(record.message, to: &out)
    out.append(0x2c)
    CSVText.append(record.source, to: &out)
    out.append(0x2c)
    CSVText.append(record.name, to: &out)
    out.append(0x2c)
    CSVText.append(record.container, to: &out)
    out.append(0x2c)
    CSVText.append(record.sandbox, to: &out)
    out.append(0x2c)
    out.append(decimal: Int64(clamping: record.line))
    out.append(0x2c)
    out.append(decimal: Int64(clamping: place.count))
    out.append(0x2c)
    out.append(decimal: place.delta)
    out.append(0x2c)
    out.append(decimal: Int64(record.pid))
    out.append(0x0a)
  }

  /// The extra fields as Go prints a map, `map[key:value key:value]`: one CSV field.
  private func appendData(_ fields: borrowing FieldList, to out: inout OutputBuffer) {
    var isQuoted = false
    for index in 0..<fields.count where !isQuoted {
      let field = fields[index]
      isQuoted = CSVText.needsQuotes(field.value) || CSVText.needsQuotes(field.key)
    }
    if isQuoted { out.append(0x22) }
    out.append("map[")
    for index in 0..<fields.count {
      let field = fields[index]
      if index > 0 { out.append(0x20) }
      CSVText.appendInside(field.key, to: &out)
      out.append(0x3a)
      CSVText.appendInside(field.value, to: &out)
    }
    out.append(0x5d)
    if isQuoted { out.append(0x22) }
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

/// Comma-separated values of the fields that the user chose: a line of their names, then a line a record.
package struct ChosenCSVFormatter: RecordFormatter {
  private let chosen: [ChosenField]

  package init(fields: [String]) { chosen = fields.map(ChosenField.init) }

  package func begin(_ out: inout OutputBuffer) {
    var arena = Arena()
    for (index, field) in chosen.enumerated() {
      if index > 0 { out.append(0x2c) }
      CSVText.append(arena.copy(field.name), to: &out)
    }
    out.append(0x0a)
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    for (index, field) in chosen.enumerated() {
      if index > 0 { out.append(0x2c) }
      if field.known == .time {
        out.append(upTo: Timestamp.maximumLength) { record.time.write(rfc3339: $0) }
      } else if let number = field.known?.number(record, place) {
        out.append(decimal: number)
      } else if let text = field.known?.text(record, place) ?? field.value(in: record) {
        CSVText.append(text, to: &out)
      }
    }
    // A line of one empty field would be no record to a reader.
    if chosen.count == 1, out.bytes.last == 0x0a { out.append("\"\"") }
    out.append(0x0a)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}
