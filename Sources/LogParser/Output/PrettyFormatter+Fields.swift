import Bytes
import Logging

/// The fields after a message.
extension PrettyFormatter {
  /// Writes the error, and the owner if it was not shown just before or matters more than brevity.
  func putChanged(
    _ record: borrowing Record, _ origin: PrettyOrigin, _ level: LogLevel?, _ line: inout PrettyLine,
    _ out: inout OutputBuffer
  ) {
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      if PrettyFields.isError(field.key), !fields.hides(field.key), !isShown(field, in: record) {
        putField(field, &line, &out)
      }
    }
    let isBad = level.map { $0 >= .warning } ?? false
    if origin.pid > 0, !origin.hasPid(in: layout.originWidth), memory.isNew(pid: origin.pid) || isBad {
      putNumber("pid", Int64(origin.pid), &line, &out)
    }
    if !fields.hidesSandbox, !record.sandbox.isEmpty,
      memory.isNew(sandbox: record.sandbox) || isBad || fields.showsSandbox
    {
      putField("sandbox", record.sandbox, &line, &out)
    }
    // A record without a container differs from one of the same container.
    let isOther = memory.isNew(container: record.container)
    if !fields.hidesContainer, isOther || isBad || fields.showsContainer {
      putField("container", record.container, &line, &out)
    }
  }

  func putFields(_ record: borrowing Record, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    var isJournals = false
    var left = 0
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      let key = field.key
      // The fields that journald adds to every entry; they come first because fields are sorted.
      if key.count > 1, key[0] == UInt8(ascii: "_"), (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(key[1])
      {
        isJournals = true
      }
      if fields.hides(key) {
        if key == "kata-log-parser-inferred" { putInferred(field.value, &line, &out) }
        continue
      }
      if isJournals, !fields.showsAll, key == "priority" || key == "syslog_identifier" { continue }
      // Skips what a column shows already: the console line that is the message, the agent's own name for the level.
      if isShown(field, in: record) || layout.isTerminal && PrettyFields.isError(key) { continue }
      if layout.isTerminal, line.rowsLeft <= 0 {
        left += 1
        continue
      }
      if key == "ts", let guest = Timestamp.parse(field: field.value) {
        putGuestOffset(guest.nanoseconds(since: record.time), &line, &out)
      } else {
        putField(field, &line, &out)
      }
    }
    if left > 0 { putRest(left, &line, &out) }
  }

  /// Whether a column already shows the field's value.
  @inline(__always)
  private func isShown(_ field: Field, in record: borrowing Record) -> Bool {
    if field.value.equals(record.message) || field.key == "level" { return true }
    if layout.isTerminal, field.key == "host" { return !memory.isNew(host: field.value) && !fields.showsHost }
    // The sandbox's id under another key.
    return field.value.count > 16
      && (field.value.equals(record.sandbox) && !fields.hidesSandbox
        || field.value.equals(record.container) && !fields.hidesContainer)
  }

  @inline(__always)
  private func putField(_ field: Field, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    let value = layout.isTerminal ? shortened(field.value) : field.value
    line.space(field.key.count + 1 + min(value.count, 40), &out)
    line.color("\u{1b}[36m", &out)
    line.put(field.key, &out)
    line.put("=", &out)
    line.reset(&out)
    line.put(value, &out)
    if value.count < field.value.count, value.count > 12 { line.putEllipsis(&out) }
  }

  /// The beginning of a value that is an id or long.
  private func shortened(_ value: ByteSlice) -> ByteSlice {
    if value.count < 64 || isFull { return value }
    if value.count == 64, value.bytes.allSatisfy({ HexDigit.value($0) != nil }) { return value.prefix(12) }
    if value.count <= Self.valueColumns { return value }
    var end = Self.valueColumns
    while end > 0, value[end] & 0xc0 == 0x80 { end -= 1 }
    return value.prefix(end)
  }

  func putField(
    _ key: StaticString, _ value: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    if value.isEmpty { return }
    // The first characters of an id are enough to distinguish it, as in container tools.
    putShort(key, value.count > 16 ? value.prefix(12) : value, &line, &out)
  }

  private func putShort(
    _ key: StaticString, _ short: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    line.space(key.utf8CodeUnitCount + 1 + short.count, &out)
    line.color("\u{1b}[36m", &out)
    line.put(key, &out)
    line.put("=", &out)
    line.reset(&out)
    line.put(short, &out)
  }

  func putNumber(
    _ key: StaticString, _ value: Int64, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    line.space(key.utf8CodeUnitCount + 1 + OutputBuffer.Cursor.digits(of: value.magnitude), &out)
    line.color("\u{1b}[36m", &out)
    line.put(key, &out)
    line.put("=", &out)
    line.reset(&out)
    var cursor = out.cursor(reserving: 32)
    let start = cursor
    cursor.put(decimal: value)
    line.column += cursor.count(since: start)
    out.commit(cursor)
  }

  func putPlaces(
    _ record: borrowing Record, _ place: RecordPlace, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    for field in fields.places {
      switch field {
      case .file: putShort("file", place.filename, &line, &out)
      case .line: putNumber("line", Int64(clamping: record.line), &line, &out)
      default: putNumber("count", Int64(clamping: place.count), &line, &out)
      }
    }
  }

  private func putRest(_ count: Int, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    line.newLine(&out)
    line.color("\u{1b}[2m", &out)
    out.append(string: count > 1 ? "… \(count) more fields (--full)" : "… 1 more field (--full)")
    line.reset(&out)
  }

  /// The offset between the guest's clock and the host's when the agent's record arrived.
  private func putGuestOffset(_ offset: Int64, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    // A terminal does not show an offset of less than a second.
    if layout.isTerminal, offset.magnitude < 1_000_000_000 { return }
    line.space(24, &out)
    line.color("\u{1b}[36m", &out)
    line.put("guest_clock=", &out)
    line.reset(&out)
    var cursor = out.cursor(reserving: 32)
    let start = cursor
    PrettyDuration.put(offset, &cursor)
    line.column += cursor.count(since: start)
    out.commit(cursor)
  }

  /// The shown values that were inferred: `~sandbox,level`.
  @inline(never)
  private func putInferred(_ names: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    line.space(names.count + 1, &out)
    line.color("\u{1b}[2m", &out)
    line.put("~", &out)
    line.put(names, &out)
    line.reset(&out)
  }
}
