import Basics

/// Values as Go's `fmt` prints them, which the text and CSV outputs are made of.
enum GoText {
  /// The extra fields as a map: `map[key:value key:value]`.
  static func appendMap(_ fields: borrowing FieldList, to out: inout OutputBuffer) {
    out.append("map[")
    for index in 0..<fields.count {
      if index > 0 { out.append(0x20) }
      out.append(fields[index].key)
      out.append(0x3a)
      out.append(fields[index].value)
    }
    out.append(0x5d)
  }
}

/// A person's listing: a line `Record n: {…}` for each record.
package struct TextFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) { ClassicFormat.appendHeader(to: &out) }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    out.append("Record ")
    out.append(decimal: Int64(clamping: place.count))
    out.append(": {Data:")
    GoText.appendMap(record.fields, to: &out)
    out.append(" Time:")
    out.append(upTo: Timestamp.maximumLength) { record.time.write(text: $0) }
    out.append(" Filename:")
    out.append(place.filename)
    out.append(" Level:")
    out.append(record.level)
    out.append(" Msg:")
    out.append(record.message)
    out.append(" Source:")
    out.append(record.source)
    out.append(" Name:")
    out.append(record.name)
    out.append(" Container:")
    out.append(record.container)
    out.append(" Sandbox:")
    out.append(record.sandbox)
    out.append(" Line:")
    out.append(decimal: Int64(clamping: record.line))
    out.append(" Count:")
    out.append(decimal: Int64(clamping: place.count))
    out.append(" TimeDelta:")
    out.append(decimal: place.delta)
    out.append(" Pid:")
    out.append(decimal: Int64(record.pid))
    out.append("}\n")
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}
