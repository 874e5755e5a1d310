import Bytes

/// One flat JSON object per line (https://github.com/ndjson/ndjson-spec), for programs that read records one by one.
///
/// Empty texts other than the message, and a missing pid, are left out. The extra fields follow under their own keys,
/// with the prefix `data.` if the name is taken.
package struct NDJSONFormatter: RecordFormatter {
  /// The fields to write, in order; each knows whether any record had it.
  let chosen: [ChosenField]

  /// - Parameter fields: the members to write, in order; all if empty.
  package init(fields: [String] = []) { chosen = fields.map(ChosenField.init) }

  package func begin(_ out: inout OutputBuffer) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    if !chosen.isEmpty { return formatChosen(record, place, &out) }
    let count = record.fields.count
    // The names, quotes and commas of the known members are under 256 bytes, their numbers under 100; each extra one
    // has at most 12 bytes around its texts.
    var line = out.cursor(
      reserving: 512 + count * 16 + (record.textLength + place.filename.count) * JSONText.growth)
    line.put("{\"time\":\"")
    line.put { record.writeTime(rfc3339: $0) }
    line.put(0x22)
    Self.put(",\"level\":\"", record.level, &line)
    // Readers, this tool included, do not see an object without a message as a log record.
    line.put(",\"msg\":\"")
    JSONText.put(record.message, &line)
    line.put(0x22)
    Self.put(",\"source\":\"", record.source, &line)
    Self.put(",\"name\":\"", record.name, &line)
    if record.pid != 0 {
      line.put(",\"pid\":")
      line.put(decimal: Int64(record.pid))
    }
    Self.put(",\"container\":\"", record.container, &line)
    Self.put(",\"sandbox\":\"", record.sandbox, &line)
    Self.put(",\"file\":\"", place.filename, &line)
    line.put(",\"line\":")
    line.put(decimal: record.line)
    line.put(",\"count\":")
    line.put(decimal: place.count)
    line.put(",\"delta\":")
    line.put(decimal: place.delta)
    for index in 0..<count {
      let field = record.fields[index]
      // Constants of a known length each: one that is chosen is copied by a call.
      if FlatField.isPrefixed(field.key, in: record) { line.put(",\"data.") } else { line.put(",\"") }
      JSONText.put(field.key, &line)
      line.put("\":\"")
      JSONText.put(field.value, &line)
      line.put(0x22)
    }
    line.put("}\n")
    out.commit(line)
  }

  @inline(__always)
  private static func put(_ head: StaticString, _ text: ByteSlice, _ line: inout OutputBuffer.Cursor) {
    if text.isEmpty { return }
    line.put(head)
    JSONText.put(text, &line)
    line.put(0x22)
  }

  private func formatChosen(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    var names = 0
    for field in chosen { names += field.name.utf8.count + 64 }
    // A field may be chosen more than once.
    let texts = (record.textLength + place.filename.count) * JSONText.growth
    var line = out.cursor(reserving: 16 + names * JSONText.growth + texts * chosen.count)
    var separator: UInt8 = 0x7b
    for field in chosen {
      if field.known == .time {
        Self.begin(field, &separator, &line)
        line.put(0x22)
        line.put { record.writeTime(rfc3339: $0) }
        line.put(0x22)
      } else if let number = field.known?.number(record, place) {
        if field.known == .pid, number == 0 { continue }
        Self.begin(field, &separator, &line)
        line.put(decimal: number)
      } else if let text = field.known?.text(record, place) ?? field.value(in: record) {
        if text.isEmpty, field.known != nil { continue }
        Self.begin(field, &separator, &line)
        line.put(0x22)
        JSONText.put(text, &line)
        line.put(0x22)
      }
    }
    if separator == 0x7b { line.put(0x7b) }
    line.put("}\n")
    out.commit(line)
  }

  private static func begin(
    _ field: ChosenField, _ separator: inout UInt8, _ line: inout OutputBuffer.Cursor
  ) {
    line.put(separator)
    separator = 0x2c
    line.put(0x22)
    for byte in field.name.utf8 {
      if byte == 0x22 || byte == 0x5c { line.put(0x5c) }
      line.put(byte)
    }
    line.put("\":")
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}
