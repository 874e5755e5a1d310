import Bytes

/// Values as Go's `fmt` prints them, for the text and CSV outputs.
enum GoText {
  /// The extra fields as a map: `map[key:value key:value]`.
  static func putMap(_ fields: borrowing FieldList, to out: inout OutputBuffer.Cursor) {
    out.put("map[")
    for index in 0..<fields.count {
      if index > 0 { out.put(0x20) }
      out.put(fields[index].key)
      out.put(0x3a)
      out.put(fields[index].value)
    }
    out.put(0x5d)
  }
}

/// A listing with a line `Record n: {…}` for each record.
package struct TextFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) { ClassicFormat.appendHeader(to: &out) }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    var line = out.cursor(reserving: 512 + record.fields.count * 2 + record.textLength + place.filename.count)
    line.put("Record ")
    line.put(decimal: place.count)
    line.put(": {Data:")
    GoText.putMap(record.fields, to: &line)
    line.put(" Time:")
    line.put { record.writeTime(text: $0) }
    line.put(" Filename:")
    line.put(place.filename)
    line.put(" Level:")
    line.put(record.level)
    line.put(" Msg:")
    line.put(record.message)
    line.put(" Source:")
    line.put(record.source)
    line.put(" Name:")
    line.put(record.name)
    line.put(" Container:")
    line.put(record.container)
    line.put(" Sandbox:")
    line.put(record.sandbox)
    line.put(" Line:")
    line.put(decimal: record.line)
    line.put(" Count:")
    line.put(decimal: place.count)
    line.put(" TimeDelta:")
    line.put(decimal: place.delta)
    line.put(" Pid:")
    line.put(decimal: Int64(record.pid))
    line.put("}\n")
    out.commit(line)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}
