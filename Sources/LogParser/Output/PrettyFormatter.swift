import Bytes
import Logging

/// Lines for people: when, how long after the record before, how bad, who, and what, in columns.
///
/// On a terminal, a line of its own says the date when it changes, and texts that are wider than the terminal go on in the
/// next line. Elsewhere each record says its date, and nothing depends on a width. Nothing that a guest printed reaches
/// the terminal as a control: ``TerminalText`` says what stands for it.
package struct PrettyFormatter: RecordFormatter {
  /// The lines of a terminal that a message takes, those of one that has lines itself, such as a panic, and those of the
  /// fields.
  private static let messageRows = 6
  private static let recordRows = 12
  private static let fieldRows = 8
  /// The columns of a value that are shown on a terminal.
  private static let valueColumns = 160

  private let isColored: Bool
  private let isFull: Bool
  private let layout: PrettyLayout
  private let zone: PrettyZone
  private let fields: PrettyFields
  private let memory = PrettyMemory()

  package init(_ options: PrettyOptions) {
    isColored = options.isColored
    isFull = options.isFull || options.width == nil
    layout = PrettyLayout(options)
    zone = PrettyZone(isUTC: options.isUTC)
    fields = PrettyFields(options)
  }

  package func begin(_ out: inout OutputBuffer) {}

  package func end(_ out: inout OutputBuffer, count: UInt64) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    if layout.isTerminal { putDate(record, place, &out) }
    putTime(record, place, &out)
    if layout.showsDelta { putDelta(place.delta, &out) }
    let level = LogLevel(name: record.level)
    putLevel(level, record.marks, &out)
    let origin = PrettyOrigin(record, hidesPid: fields.hidesPid)
    var line = putOrigin(origin, &out)
    putMessage(record, level, &line, &out)
    if !isFull { line.rowsLeft = Self.fieldRows }
    if layout.isTerminal {
      putChanged(record, origin, level, &line, &out)
    } else {
      if !fields.hidesSandbox { putField("sandbox", record.sandbox, &line, &out) }
      if !fields.hidesContainer { putField("container", record.container, &line, &out) }
    }
    if !fields.places.isEmpty { putPlaces(record, place, &line, &out) }
    putFields(record, &line, &out)
    out.append(UInt8(ascii: "\n"))
  }

  // MARK: Columns

  /// A line for the date and the zone, when either has changed since the record before, and for a long silence that no
  /// column shows.
  private func putDate(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    if record.time.isUnset { return }
    let offset = zone.offset(record.time)
    let day = Self.day(record.time, offset)
    let before = record.time.advanced(byNanoseconds: place.delta == .min ? .max : -place.delta)
    let isFirst = place.count <= 1 || before.isUnset
    let hasNewZone = isFirst || zone.offset(before) != offset
    if hasNewZone || Self.day(before, zone.offset(before)) != day {
      let date = CivilDate(daysSince1970: day)
      let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int((day % 7 + 7) % 7)]
      let digits = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
      let name = hasNewZone ? ", times in \(TerminalText.line(zone.name(at: record.time)))" : ""
      if isColored { out.append("\u{1b}[1m") }
      out.append(string: "-- \(weekday) \(date.year)-\(digits(date.month))-\(digits(date.day))\(name) --")
    } else if !layout.showsDelta, place.delta >= 60_000_000_000 {
      if isColored { out.append("\u{1b}[2m") }
      out.append("-- ")
      var cursor = out.cursor(reserving: 64)
      PrettyDuration.put(place.delta, sign: false, &cursor)
      out.commit(cursor)
      out.append(" later --")
    } else {
      return
    }
    out.append(isColored ? "\u{1b}[0m\n" : "\n")
  }

  private static func day(_ time: Timestamp, _ offset: Int16) -> Int64 {
    let local = time.seconds &+ Int64(offset) * 60
    return local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
  }

  /// `YYYY-MM-DD HH:MM:SS.mmm` with the offset, or on a terminal `HH:MM:SS.mmm`.
  @inline(__always)
  private func putTime(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    if layout.isTerminal { return putTimeOfDay(record, place, &out) }
    let offset = zone.offset(record.time)
    out.append(upTo: Timestamp.maximumLength) { target in
      let count: Int
      if offset == record.time.offsetMinutes {
        count = record.writeTime(rfc3339Full: target)
      } else {
        var time = record.time
        time.offsetMinutes = offset
        count = time.write(rfc3339: target, trimmed: false)
      }
      target[10] = UInt8(ascii: " ")
      // The zone follows the milliseconds.
      guard count > 29 else { return count }
      for index in 29..<count { target[index - 6] = target[index] }
      return count - 6
    }
  }

  private func putTimeOfDay(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    let isInferred = record.marks.contains(.timeIsInherited)
    // No time at all, or the one of the line above.
    if record.time.isUnset || isInferred && place.delta == 0 && place.count > 1 {
      return out.append("            ")
    }
    if isInferred, isColored { out.append("\u{1b}[2m") }
    var time = record.time
    time.offsetMinutes = zone.offset(time)
    out.append(upTo: Timestamp.maximumLength) { target in
      _ = time.write(rfc3339: target, trimmed: false)
      for index in 0..<12 { target[index] = target[index + 11] }
      if isInferred { target[11] = UInt8(ascii: "~") }
      return 12
    }
    if isInferred, isColored { out.append("\u{1b}[0m") }
  }

  /// Ten columns: `   +1.234s`.
  private func putDelta(_ delta: Int64, _ out: inout OutputBuffer) {
    var line = out.cursor(reserving: 64)
    let start = line
    line.put(UInt8(ascii: " "))
    if isColored { line.put("\u{1b}[2m") }
    PrettyDuration.put(delta, &line)
    line.alignRight(isColored ? 14 : 10, since: start)
    if isColored { line.put("\u{1b}[0m") }
    out.commit(line)
  }

  private func putLevel(_ level: LogLevel?, _ marks: RecordMarks, _ out: inout OutputBuffer) {
    out.append(UInt8(ascii: " "))
    if isColored {
      switch level {
      case .critical, .error: out.append("\u{1b}[1;31m")
      case .warning: out.append("\u{1b}[33m")
      case .info: out.append("\u{1b}[32m")
      case .debug, .trace, nil: out.append("\u{1b}[2m")
      }
    }
    let isLong = layout.hasLongLevels
    switch level {
    case .critical: out.append(isLong ? "CRIT " : "C")
    case .error: out.append(isLong ? "ERROR" : "E")
    case .warning: out.append(isLong ? "WARN " : "W")
    case .info: out.append(isLong ? "INFO " : "I")
    case .debug: out.append(isLong ? "DEBUG" : "D")
    case .trace: out.append(isLong ? "TRACE" : "T")
    case nil where marks.contains(.isRaw): out.append(isLong ? "raw  " : "|")
    case nil: out.append(isLong ? "-    " : "-")
    }
    if isColored { out.append("\u{1b}[0m") }
    out.append(UInt8(ascii: " "))
  }

  /// Puts who it was, and returns the line from there on.
  @inline(__always)
  private func putOrigin(_ origin: PrettyOrigin, _ out: inout OutputBuffer) -> PrettyLine {
    let columns = origin.put(width: layout.isTerminal ? layout.originWidth : 0, &out)
    let blanks = max(0, layout.originWidth - columns) + 1
    var cursor = out.cursor(reserving: 64)
    for _ in 0..<blanks { cursor.put(UInt8(ascii: " ")) }
    out.commit(cursor)
    let start = layout.messageColumn + max(0, columns - layout.originWidth)
    return PrettyLine(width: layout.width, indent: layout.indent, column: start, isColored: isColored)
  }

  // MARK: Texts

  @inline(__always)
  private func putMessage(
    _ record: borrowing Record, _ level: LogLevel?, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    if isColored {
      let isBad = level.map { $0 >= .error } ?? false
      line.color(isBad ? "\u{1b}[1m" : record.marks.contains(.isRaw) ? "\u{1b}[2m" : "", &out)
    }
    if isFull {
      line.put(record.message, &out)
    } else {
      putStart(record.message, &line, &out)
    }
    line.reset(&out)
    if !record.marks.isDisjoint(with: [.isTruncated, .unpackFailed]) { putMarks(record.marks, &line, &out) }
  }

  /// As much of a message as has its place, and how much more there is.
  private func putStart(_ text: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    // A line that has hardly any room after a long origin begins below it.
    line.rowsLeft = (text.contains(UInt8(ascii: "\n")) ? Self.recordRows : Self.messageRows) - 1
    let put = line.put(text, &out)
    guard put < text.count else { return }
    line.reset(&out)
    line.color("\u{1b}[2m", &out)
    line.newLine(&out)
    let rest = text.slice(put, text.count)
    var lines = 0
    for byte in rest.bytes where byte == UInt8(ascii: "\n") { lines += 1 }
    if rest[0] != UInt8(ascii: "\n") { lines += 1 }
    out.append(string: lines > 1 ? "… \(lines) more lines (--full)" : "… \(rest.count) more bytes (--full)")
    line.column = layout.width
  }

  /// What is missing of a record.
  private func putMarks(_ marks: RecordMarks, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    guard layout.isTerminal else { return }
    let text: StaticString = marks.contains(.isTruncated) ? "[cut off]" : "[agent's record unreadable]"
    line.space(text.utf8CodeUnitCount, &out)
    line.color("\u{1b}[33m", &out)
    line.put(text, &out)
    line.reset(&out)
  }

  // MARK: Fields

  /// What is wrong, and whose record it is where that was not said just before, or matters more than brevity.
  private func putChanged(
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
    // A record without a container says something else than one of the same container.
    let isOther = memory.isNew(container: record.container)
    if !fields.hidesContainer, isOther || isBad || fields.showsContainer {
      putField("container", record.container, &line, &out)
    }
  }

  private func putFields(_ record: borrowing Record, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    var isJournals = false
    var left = 0
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      let key = field.key
      // What journald adds to every entry of its own; the fields are sorted, so that these come first.
      if key.count > 1, key[0] == UInt8(ascii: "_"), (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(key[1])
      {
        isJournals = true
      }
      if fields.hides(key) { continue }
      if isJournals, !fields.showsAll, key == "priority" || key == "syslog_identifier" { continue }
      // What a column shows already: the console line that is the message, the agent's level in its own words.
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

  /// Whether a column has the field's value already.
  @inline(__always)
  private func isShown(_ field: Field, in record: borrowing Record) -> Bool {
    if field.value.equals(record.message) || field.key == "level" { return true }
    if layout.isTerminal, field.key == "host" { return !memory.isNew(host: field.value) }
    // The id of the sandbox under another of its names.
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
    if value.count < field.value.count, value.count > 12 {
      out.append("…")
      line.column += 1
    }
  }

  /// The start of a value that is an id or long.
  private func shortened(_ value: ByteSlice) -> ByteSlice {
    if value.count < 64 || isFull { return value }
    if value.count == 64, value.bytes.allSatisfy({ HexDigit.value($0) != nil }) { return value.prefix(12) }
    if value.count <= Self.valueColumns { return value }
    var end = Self.valueColumns
    while end > 0, value[end] & 0xc0 == 0x80 { end -= 1 }
    return value.prefix(end)
  }

  private func putField(
    _ key: StaticString, _ value: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    if value.isEmpty { return }
    // The first characters of an id tell it from the others, as container tools show it.
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

  private func putNumber(
    _ key: StaticString, _ value: Int64, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    line.space(key.utf8CodeUnitCount + 8, &out)
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

  private func putPlaces(
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

  /// How the guest's clock stood to the host's when the agent's record came.
  private func putGuestOffset(_ offset: Int64, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    // Within a second, a terminal has better to show.
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
}
