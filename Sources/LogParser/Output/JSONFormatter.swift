import Bytes

/// One JSON document of all records, indented by four spaces.
package struct JSONFormatter: RecordFormatter {
  package init() {}

  package func begin(_ out: inout OutputBuffer) {
    out.append("{\n    \"FormatVersion\": \"")
    out.append(ClassicFormat.version)
    out.append("\",\n    \"Entries\": ")
  }

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    let fields = record.fields.count
    let texts = record.textLength + place.filename.count
    var line = out.cursor(reserving: 512 + fields * 32 + texts * JSONText.growth)
    if place.count == 1 {
      line.put("[\n        {\n            \"Data\": {")
    } else {
      line.put(",\n        {\n            \"Data\": {")
    }
    for index in 0..<fields {
      let field = record.fields[index]
      if index > 0 { line.put(0x2c) }
      line.put("\n                \"")
      JSONText.put(field.key, &line)
      line.put("\": \"")
      JSONText.put(field.value, &line)
      line.put(0x22)
    }
    if fields > 0 { line.put("\n            ") }
    line.put("},\n            \"Time\": \"")
    line.put { record.writeTime(rfc3339: $0) }
    line.put("\",\n            \"Filename\": \"")
    JSONText.put(place.filename, &line)
    line.put("\",\n            \"Level\": \"")
    JSONText.put(record.level, &line)
    line.put("\",\n            \"Msg\": \"")
    JSONText.put(record.message, &line)
    line.put("\",\n            \"Source\": \"")
    JSONText.put(record.source, &line)
    line.put("\",\n            \"Name\": \"")
    JSONText.put(record.name, &line)
    line.put("\",\n            \"Container\": \"")
    JSONText.put(record.container, &line)
    line.put("\",\n            \"Sandbox\": \"")
    JSONText.put(record.sandbox, &line)
    line.put("\",\n            \"Line\": ")
    line.put(decimal: record.line)
    line.put(",\n            \"Count\": ")
    line.put(decimal: place.count)
    line.put(",\n            \"TimeDelta\": ")
    line.put(decimal: place.delta)
    line.put(",\n            \"Pid\": ")
    line.put(decimal: Int64(record.pid))
    line.put("\n        }")
    out.commit(line)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {
    out.append(count == 0 ? "null\n}\n" : "\n    ]\n}\n")
  }
}
