import Bytes
import Logging

/// Lines for people, in columns: time, delay since the record before, level, origin and message.
///
/// On a terminal, a separate line shows each change of the date, and texts that are wider than the terminal continue on
/// the next line. Elsewhere each record has its date, and nothing depends on a width. No control character that a guest
/// printed reaches the terminal: see ``TerminalText``.
package struct PrettyFormatter: RecordFormatter {
  /// The maximum number of terminal lines for a message, for one of several lines such as a panic, and for the fields.
  private static let messageRows = 6
  private static let recordRows = 12
  static let fieldRows = 8
  /// The maximum width of a value on a terminal.
  static let valueColumns = 160

  let isColored: Bool
  let isFull: Bool
  let layout: PrettyLayout
  let zone: PrettyZone
  let fields: PrettyFields
  let memory = PrettyMemory()

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
    if layout.showsDelta { putDelta(record, place, &out) }
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

  /// As much of a message as fits, and how much more there is.
  private func putStart(_ text: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    // If hardly any room is left after a long origin, the message begins below it.
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

  /// Notes on what is missing from a record.
  private func putMarks(_ marks: RecordMarks, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    guard layout.isTerminal else { return }
    let text: StaticString = marks.contains(.isTruncated) ? "[cut off]" : "[agent's record unreadable]"
    line.space(text.utf8CodeUnitCount, &out)
    line.color("\u{1b}[33m", &out)
    line.put(text, &out)
    line.reset(&out)
  }
}
