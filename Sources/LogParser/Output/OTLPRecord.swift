import Bytes

/// One record as an `ExportLogsServiceRequest`: field 1 with one `ResourceLogs`, in protobuf's binary form. Such
/// requests, one after another, form a request with all their records.
///
/// The mapping is in `formats/output/otlp`.
enum OTLPRecord {
  /// The most bytes of a record besides its texts and fields.
  private static let overhead = 1536

  static func put(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    let origin = OTLPOrigin(record)
    let isKata = origin == .shim || origin == .guest && record.name == "kata-agent"
    let fields = OTLPFields(record, origin, isKata: isKata)
    // The owner is written two or three times; everything else once.
    var repeated = record.sandbox.count * 2 + record.source.count + record.name.count
    if fields.subsystem >= 0 { repeated += record.fields[fields.subsystem].value.count }
    let texts = record.textLength + 2 * place.filename.count + place.cursor.count + repeated
    var line = out.cursor(
      reserving: overhead + texts * OTLPText.growth + record.fields.count * OTLPText.attributeOverhead)
    line.put(1 << 3 | 2)
    line.putDelimited { line in
      line.put(1 << 3 | 2)
      line.putDelimited { putResource(record, origin, fields, &$0) }
      line.put(2 << 3 | 2)
      line.putDelimited { line in
        line.put(1 << 3 | 2)
        line.putDelimited { putScope(record, fields, &$0) }
        line.put(2 << 3 | 2)
        line.putDelimited { putLogRecord(record, place, origin, fields, &$0) }
      }
    }
    out.commit(line)
  }

  @inline(__always)
  private static func putResource(
    _ record: borrowing Record, _ origin: OTLPOrigin, _ fields: OTLPFields, _ line: inout OutputBuffer.Cursor
  ) {
    putService(record, origin, &line)
    if fields.version >= 0 { OTLPText.put(1, "service.version", record.fields[fields.version].value, &line) }
    if !record.sandbox.isEmpty {
      OTLPText.put(1, "service.instance.id", record.sandbox, &line)
      OTLPText.put(1, "kata.sandbox.id", record.sandbox, &line)
      if origin == .guest { OTLPText.put(1, "host.id", record.sandbox, &line) }
    }
    line.put(1 << 3 | 2)
    line.putDelimited { line in
      OTLPText.put(1, "kata.origin", &line)
      line.put(2 << 3 | 2)
      line.putDelimited { OTLPText.put(1, origin.name, &$0) }
    }
    let host = fields.host >= 0 ? record.fields[fields.host].value : fields.journalHost
    if fields.host >= 0 || !host.isEmpty { OTLPText.put(1, "host.name", host, &line) }
    if fields.pod >= 0 { OTLPText.put(1, "k8s.pod.name", record.fields[fields.pod].value, &line) }
    if fields.namespace >= 0 {
      OTLPText.put(1, "k8s.namespace.name", record.fields[fields.namespace].value, &line)
    }
  }

  /// The runtime is one service, whatever its processes are called, and however many there are.
  @inline(__always)
  private static func putService(
    _ record: borrowing Record, _ origin: OTLPOrigin, _ line: inout OutputBuffer.Cursor
  ) {
    if origin != .shim, !record.name.isEmpty { return OTLPText.put(1, "service.name", record.name, &line) }
    line.put(1 << 3 | 2)
    line.putDelimited { line in
      OTLPText.put(1, "service.name", &line)
      line.put(2 << 3 | 2)
      line.putDelimited { line in
        switch origin {
        case .shim: OTLPText.put(1, "kata", &line)
        case .guest: OTLPText.put(1, "kata-guest", &line)
        case .host: OTLPText.put(1, "unknown_service", &line)
        }
      }
    }
    if origin == .shim, record.name != "kata" { OTLPText.put(1, "kata.name", record.name, &line) }
  }

  @inline(__always)
  private static func putScope(
    _ record: borrowing Record, _ fields: OTLPFields, _ line: inout OutputBuffer.Cursor
  ) {
    let subsystem = fields.subsystem >= 0 ? record.fields[fields.subsystem].value : .empty
    if record.source.isEmpty, subsystem.isEmpty { return }
    line.put(1 << 3 | 2)
    line.putDelimited { line in
      line.put(utf8: record.source)
      if !record.source.isEmpty, !subsystem.isEmpty { line.put(UInt8(ascii: "/")) }
      line.put(utf8: subsystem)
    }
    if !record.source.isEmpty { OTLPText.put(3, "kata.source", record.source, &line) }
    if !subsystem.isEmpty { OTLPText.put(3, "kata.subsystem", subsystem, &line) }
  }

  @inline(__always)
  private static func putLogRecord(
    _ record: borrowing Record, _ place: RecordPlace, _ origin: OTLPOrigin, _ fields: OTLPFields,
    _ line: inout OutputBuffer.Cursor
  ) {
    let times = OTLPTimes(record, fields)
    if let time = times.own { putTime(1, time, &line) }
    let severity = OTLPSeverity.number(record.level)
    if severity > 0 {
      line.put(2 << 3)
      line.put(severity)
    }
    OTLPText.put(3, fields.level >= 0 ? record.fields[fields.level].value : record.level, &line)
    line.put(5 << 3 | 2)
    line.putDelimited { OTLPText.putAll(1, record.message, &$0) }
    putAttributes(record, place, fields, &line)
    if times.isBeyondRange { putText(of: record, &line) }
    if fields.hasContext { putContext(record, fields, &line) }
    if let observed = times.observed { putTime(11, observed, &line) }
    if let event = OTLPEvent.name(record, origin) { OTLPText.put(12, event, &line) }
  }

  @inline(__always)
  private static func putAttributes(
    _ record: borrowing Record, _ place: RecordPlace, _ fields: OTLPFields,
    _ line: inout OutputBuffer.Cursor
  ) {
    if !record.container.isEmpty { OTLPText.put(6, "container.id", record.container, &line) }
    if record.pid > 0 { OTLPText.put(6, "process.pid", number: UInt64(record.pid), &line) }
    if !fields.cursor.isEmpty {
      OTLPText.put(6, "log.record.uid", fields.cursor, &line)
    } else if place.filename.peek(0) == UInt8(ascii: "/") {
      OTLPText.put(6, "log.file.path", place.filename, &line)
      if place.cursor.isEmpty {
        OTLPText.put(6, "kata.line", number: record.line, &line)
        putPlace(record, place, &line)
      } else {
        OTLPText.put(6, "log.record.uid", place.cursor, &line)
      }
    } else if !place.cursor.isEmpty {
      OTLPText.put(6, "log.record.uid", place.cursor, &line)
    }
    for index in 0..<record.fields.count where !fields.hasPlace(index) {
      let field = record.fields[index]
      OTLPText.put(
        6, field.key, isPrefixed: FlatField.isPrefixed(field.key, in: record), field.value, &line)
    }
  }

  /// The identity of a record in a file, for stores that drop duplicates: `FILE:LINE:NANOSECONDS`.
  private static func putPlace(
    _ record: borrowing Record, _ place: RecordPlace, _ line: inout OutputBuffer.Cursor
  ) {
    line.put(6 << 3 | 2)
    line.putDelimited { line in
      OTLPText.put(1, "log.record.uid", &line)
      line.put(2 << 3 | 2)
      line.putDelimited { line in
        line.put(1 << 3 | 2)
        line.putDelimited { line in
          line.put(utf8: place.filename)
          line.put(UInt8(ascii: ":"))
          line.put(decimal: record.line)
          line.put(UInt8(ascii: ":"))
          line.put(decimal: OTLPTimes.nanoseconds(record.time) ?? 0)
        }
      }
    }
  }

  /// A time that OTLP's numbers cannot express.
  private static func putText(of record: borrowing Record, _ line: inout OutputBuffer.Cursor) {
    line.put(6 << 3 | 2)
    line.putDelimited { line in
      OTLPText.put(1, "kata.time", &line)
      line.put(2 << 3 | 2)
      line.putDelimited { line in
        line.put(1 << 3 | 2)
        line.putDelimited { line in line.put { record.writeTime(rfc3339: $0) } }
      }
    }
  }

  private static func putContext(
    _ record: borrowing Record, _ fields: OTLPFields, _ line: inout OutputBuffer.Cursor
  ) {
    // The sampled flag: the trace is recorded.
    line.put(8 << 3 | 5)
    line.put(little: UInt32(1))
    putID(9, record.fields[fields.traceID].value, &line)
    if fields.spanID >= 0 { putID(10, record.fields[fields.spanID].value, &line) }
  }

  /// Puts an id that is given in hexadecimal digits.
  private static func putID(_ field: UInt8, _ digits: ByteSlice, _ line: inout OutputBuffer.Cursor) {
    line.put(field << 3 | 2)
    line.putDelimited { line in
      var index = 0
      while index + 1 < digits.count {
        let high = HexDigit.value(digits[index]) ?? 0
        let low = HexDigit.value(digits[index + 1]) ?? 0
        line.put(UInt8(truncatingIfNeeded: high << 4 | low))
        index += 2
      }
    }
  }

  @inline(__always)
  private static func putTime(_ field: UInt8, _ time: UInt64, _ line: inout OutputBuffer.Cursor) {
    line.put(field << 3 | 1)
    line.put(little: time)
  }
}
