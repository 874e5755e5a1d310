import Bytes

/// Comma-separated values: a line of field names, then one line per record, with all extra fields as one value.
package struct CSVFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    out.append(ClassicFormat.fieldNames)
    out.append(0x0a)
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    var line = out.cursor(
      reserving: 512 + record.fields.count * 8 + (record.textLength + place.filename.count) * CSVText.growth)
    putData(record.fields, to: &line)
    line.put(0x2c)
    line.put { record.writeTime(text: $0) }
    line.put(0x2c)
    CSVText.put(place.filename, to: &line)
    line.put(0x2c)
    CSVText.put(record.level, to: &line)
    line.put(0x2c)
    CSVText.put(record.message, to: &line)
    line.put(0x2c)
    CSVText.put(record.source, to: &line)
    line.put(0x2c)
    CSVText.put(record.name, to: &line)
    line.put(0x2c)
    CSVText.put(record.container, to: &line)
    line.put(0x2c)
    CSVText.put(record.sandbox, to: &line)
    line.put(0x2c)
    line.put(decimal: record.line)
    line.put(0x2c)
    line.put(decimal: place.count)
    line.put(0x2c)
    line.put(decimal: place.delta)
    line.put(0x2c)
    line.put(decimal: Int64(record.pid))
    line.put(0x0a)
    out.commit(line)
  }

  /// The extra fields as Go prints a map, `map[key:value key:value]`: one CSV field.
  private func putData(_ fields: borrowing FieldList, to out: inout OutputBuffer.Cursor) {
    var isQuoted = false
    for index in 0..<fields.count where !isQuoted {
      let field = fields[index]
      isQuoted = CSVText.needsQuotes(field.value) || CSVText.needsQuotes(field.key)
    }
    if isQuoted { out.put(0x22) }
    out.put("map[")
    for index in 0..<fields.count {
      let field = fields[index]
      if index > 0 { out.put(0x20) }
      CSVText.putInside(field.key, to: &out)
      out.put(0x3a)
      CSVText.putInside(field.value, to: &out)
    }
    out.put(0x5d)
    if isQuoted { out.put(0x22) }
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

/// Comma-separated values of the fields that the user chose: a line of their names, then one line per record.
package struct ChosenCSVFormatter: RecordFormatter {
  /// The fields to write, in order; each knows whether any record had it.
  let chosen: [ChosenField]

  package init(fields: [String]) { chosen = fields.map(ChosenField.init) }

  package func begin(_ out: inout OutputBuffer) {
    var arena = Arena()
    for (index, field) in chosen.enumerated() {
      let name = arena.copy(field.name)
      var line = out.cursor(reserving: 8 + name.count * CSVText.growth)
      if index > 0 { line.put(0x2c) }
      CSVText.put(name, to: &line)
      out.commit(line)
    }
    out.append(0x0a)
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    let start = out.count
    for (index, field) in chosen.enumerated() {
      let text = field.known?.text(record, place) ?? field.value(in: record)
      var line = out.cursor(reserving: 64 + (text?.count ?? 0) * CSVText.growth)
      if index > 0 { line.put(0x2c) }
      if field.known == .time {
        line.put { record.writeTime(rfc3339: $0) }
      } else if let number = field.known?.number(record, place) {
        line.put(decimal: number)
      } else if let text {
        CSVText.put(text, to: &line)
      }
      out.commit(line)
    }
    // A reader would not see a line of one empty field as a record.
    if out.count == start { out.append("\"\"") }
    out.append(0x0a)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}
