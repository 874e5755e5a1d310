/// One JSON document that holds all records, indented by four spaces.
package struct JSONFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    out.append("{\n    \"FormatVersion\": \"")
    out.append(ClassicFormat.version)
    out.append("\",\n    \"Entries\": ")
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    out.append(
      place.count == 1 ? "[\n        {\n            \"Data\": {" : ",\n        {\n            \"Data\": {")
    let fields = record.fields.count
    for index in 0..<fields {
      let field = record.fields[index]
      out.append(index == 0 ? "\n                \"" : ",\n                \"")
      JSONText.append(field.key, to: &out)
      out.append("\": \"")
      JSONText.append(field.value, to: &out)
      out.append(0x22)
    }
    if fields > 0 { out.append("\n            ") }
    out.append("},\n            \"Time\": \"")
    out.append(upTo: 48) { record.time.write(rfc3339: $0) }
    out.append("\",\n            \"Filename\": \"")
    JSONText.append(place.filename, to: &out)
    out.append("\",\n            \"Level\": \"")
    JSONText.append(record.level, to: &out)
    out.append("\",\n            \"Msg\": \"")
    JSONText.append(record.message, to: &out)
    out.append("\",\n            \"Source\": \"")
    JSONText.append(record.source, to: &out)
    out.append("\",\n            \"Name\": \"")
    JSONText.append(record.name, to: &out)
    out.append("\",\n            \"Container\": \"")
    JSONText.append(record.container, to: &out)
    out.append("\",\n            \"Sandbox\": \"")
    JSONText.append(record.sandbox, to: &out)
    out.append("\",\n            \"Line\": ")
    out.append(decimal: record.line)
    out.append(",\n            \"Count\": ")
    out.append(decimal: place.count)
    out.append(",\n            \"TimeDelta\": ")
    out.append(decimal: place.delta)
    out.append(",\n            \"Pid\": ")
    out.append(decimal: Int64(record.pid))
    out.append("\n        }")
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {
    out.append(count == 0 ? "null\n}\n" : "\n    ]\n}\n")
  }
}
