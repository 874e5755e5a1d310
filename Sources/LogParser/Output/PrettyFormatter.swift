import Bytes
import Logging

/// Lines for people: when, how long after the record before, how bad, who, and what, in columns.
///
/// Nothing that a guest printed reaches the terminal as a control: ``TerminalText`` says what stands for it. Values that
/// are wider than the line go on in the next one, under the message.
package struct PrettyFormatter: RecordFormatter {
  /// Where the message begins: behind the time (18), the delta (10), the level (6) and the origin (27).
  private static let indent = 61
  private static let originWidth = 25

  private let isColored: Bool
  private let width: Int

  /// - Parameters:
  ///   - color: whether to colour levels and keys.
  ///   - width: the columns of the terminal, or nil not to wrap.
  package init(color: Bool, width: Int?) {
    isColored = color
    self.width = width.map { max($0, Self.indent + 30) } ?? .max
  }

  package func begin(_ out: inout OutputBuffer) {}

  package func format(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    var line = PrettyLine(width: width, indent: Self.indent, isColored: isColored)
    putTime(record, &out)
    putDelta(place.delta, &out)
    out.append(0x20)
    putLevel(record.level, &out)
    out.append(0x20)
    putOrigin(record, &out)
    out.append(0x20)
    let isBad = LogLevel(name: record.level).map { $0 >= .error } ?? false
    line.color(isBad ? "\u{1b}[1m" : "", &out)
    line.put(record.message, &out)
    line.reset(&out)
    putField("sandbox", record.sandbox, &line, &out)
    putField("container", record.container, &line, &out)
    var isJournals = false
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      // What journald adds to every entry of its own; the fields are sorted, so that these come first.
      if field.key.count > 1, field.key[0] == 0x5f,
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(field.key[1])
      {
        isJournals = true
        continue
      }
      if isJournals, field.key == "priority" || field.key == "syslog_identifier" { continue }
      // What a column shows already: the console line that is the message, the agent's level in its own words.
      if field.value.equals(record.message) || field.key == "level" { continue }
      if field.key == "ts", let guest = Timestamp.parse(field: field.value) {
        putGuestOffset(guest.nanoseconds(since: record.time), &line, &out)
        continue
      }
      line.space(field.key.count + 1 + min(field.value.count, 40), &out)
      line.color("\u{1b}[36m", &out)
      line.put(field.key, &out)
      line.put(0x3d, &out)
      line.reset(&out)
      line.put(field.value, &out)
    }
    out.append(0x0a)
  }

  /// How the guest's clock stood to the host's when the agent's record came.
  private func putGuestOffset(_ offset: Int64, _ line: inout PrettyLine, _ out: inout OutputBuffer) {
    line.space(24, &out)
    line.color("\u{1b}[36m", &out)
    line.put("guest_clock=", &out)
    line.reset(&out)
    var cursor = out.cursor(reserving: 32)
    let start = cursor
    Self.put(offset, &cursor)
    line.column += cursor.count(since: start)
    out.commit(cursor)
  }

  private func putField(
    _ key: StaticString, _ value: ByteSlice, _ line: inout PrettyLine, _ out: inout OutputBuffer
  ) {
    if value.isEmpty { return }
    // The first characters of an id tell it from the others, as container tools show it.
    let short = value.count > 16 ? value.prefix(12) : value
    line.space(key.utf8CodeUnitCount + 1 + short.count, &out)
    line.color("\u{1b}[36m", &out)
    line.put(key, &out)
    line.put(0x3d, &out)
    line.reset(&out)
    line.put(short, &out)
  }

  /// `MM-DD HH:MM:SS.mmm`, in the time's own offset.
  private func putTime(_ record: borrowing Record, _ out: inout OutputBuffer) {
    out.append(upTo: Timestamp.maximumLength) { target in
      let count = record.writeTime(rfc3339Full: target)
      // Cut the year off the front and the microseconds off the end, and part date and time by a space.
      for index in 0..<18 { target[index] = target[index + 5] }
      target[5] = 0x20
      return min(count, 18)
    }
  }

  /// Ten columns: `   +1.234s`.
  private func putDelta(_ delta: Int64, _ out: inout OutputBuffer) {
    var line = out.cursor(reserving: 64)
    let start = line
    line.put(0x20)
    if isColored { line.put("\u{1b}[2m") }
    Self.put(delta, &line)
    line.alignRight(isColored ? 14 : 10, since: start)
    if isColored { line.put("\u{1b}[0m") }
    out.commit(line)
  }

  /// Writes a difference in time with its sign and in the unit that fits, 20 bytes at most.
  private static func put(_ nanoseconds: Int64, _ line: inout OutputBuffer.Cursor) {
    line.put(nanoseconds < 0 ? 0x2d : 0x2b)
    let value = nanoseconds.magnitude
    switch value {
    case ..<1_000:
      line.put(decimal: value)
      line.put("ns")
    case ..<1_000_000:
      line.put(decimal: value / 1_000)
      line.put("us")
    case ..<1_000_000_000:
      line.put(decimal: value / 1_000_000)
      line.put(0x2e)
      line.put(decimal: value / 100_000 % 10)
      line.put("ms")
    case ..<60_000_000_000:
      line.put(decimal: value / 1_000_000_000)
      line.put(0x2e)
      let milliseconds = value / 1_000_000 % 1_000
      if milliseconds < 100 { line.put(0x30) }
      if milliseconds < 10 { line.put(0x30) }
      line.put(decimal: milliseconds)
      line.put(0x73)
    case ..<3_600_000_000_000: put(value / 1_000_000_000, "m", 60, "s", &line)
    case ..<86_400_000_000_000: put(value / 60_000_000_000, "h", 60, "m", &line)
    default: put(value / 3_600_000_000_000, "d", 24, "h", &line)
    }
  }

  private static func put(
    _ value: UInt64, _ large: StaticString, _ ratio: UInt64, _ small: StaticString,
    _ line: inout OutputBuffer.Cursor
  ) {
    line.put(decimal: value / ratio)
    line.put(large)
    line.put(decimal: value % ratio)
    line.put(small)
  }

  private func putLevel(_ name: ByteSlice, _ out: inout OutputBuffer) {
    let level = LogLevel(name: name)
    if isColored {
      switch level {
      case .critical, .error: out.append("\u{1b}[1;31m")
      case .warning: out.append("\u{1b}[33m")
      case .info: out.append("\u{1b}[32m")
      case .debug, .trace, nil: out.append("\u{1b}[2m")
      }
    }
    switch level {
    case .critical: out.append("CRIT ")
    case .error: out.append("ERROR")
    case .warning: out.append("WARN ")
    case .info: out.append("INFO ")
    case .debug: out.append("DEBUG")
    case .trace: out.append("TRACE")
    case nil: out.append("-    ")
    }
    if isColored { out.append("\u{1b}[0m") }
  }

  /// `source/name[pid]`, cut at its column's width.
  private func putOrigin(_ record: borrowing Record, _ out: inout OutputBuffer) {
    var column = PrettyLine(width: .max, indent: 0, isColored: false)
    let pidWidth = record.pid > 0 ? OutputBuffer.Cursor.digits(of: UInt64(record.pid)) + 2 : 0
    var left = Self.originWidth - pidWidth
    let slash = record.source.isEmpty || record.name.isEmpty ? 0 : 1
    // The name is cut before the source, and no further than to four characters.
    let source = record.source.prefix(max(4, left - slash - min(record.name.count, 10)))
    left -= source.count + slash
    let name = record.name.prefix(max(0, left))
    column.put(source, &out)
    if slash == 1 { column.put(0x2f, &out) }
    column.put(name, &out)
    var line = out.cursor(reserving: 64)
    if record.pid > 0 {
      line.put(0x5b)
      line.put(decimal: Int64(record.pid))
      line.put(0x5d)
    }
    let used = column.column + pidWidth
    if used < Self.originWidth { for _ in 0..<(Self.originWidth - used) { line.put(0x20) } }
    out.commit(line)
  }

  package func end(_ out: inout OutputBuffer, count: UInt64) {}
}

/// Text of one record that is put on as many lines as it needs.
private struct PrettyLine {
  private let width: Int
  private let indent: Int
  private let isColored: Bool
  var column: Int
  private var color: StaticString = ""

  init(width: Int, indent: Int, isColored: Bool) {
    self.width = width
    self.indent = indent
    self.isColored = isColored
    column = indent
    if indent == 0 { column = 0 }
  }

  mutating func color(_ sequence: StaticString, _ out: inout OutputBuffer) {
    guard isColored, sequence.utf8CodeUnitCount > 0 else { return }
    color = sequence
    out.append(sequence)
  }

  mutating func reset(_ out: inout OutputBuffer) {
    guard color.utf8CodeUnitCount > 0 else { return }
    color = ""
    out.append("\u{1b}[0m")
  }

  /// Parts two pieces: with two spaces, or with a new line where the next piece does not fit.
  mutating func space(_ count: Int, _ out: inout OutputBuffer) {
    if column + 2 + count > width, column > indent { return newLine(&out) }
    out.append("  ")
    column += 2
  }

  private mutating func newLine(_ out: inout OutputBuffer) {
    if color.utf8CodeUnitCount > 0 { out.append("\u{1b}[0m") }
    out.append(0x0a)
    for _ in 0..<indent { out.append(0x20) }
    column = indent
    if color.utf8CodeUnitCount > 0 { out.append(color) }
  }

  /// Puts a short word, which stays whole.
  mutating func put(_ word: StaticString, _ out: inout OutputBuffer) {
    out.append(word)
    column += word.utf8CodeUnitCount
  }

  mutating func put(_ byte: UInt8, _ out: inout OutputBuffer) {
    if column >= width { newLine(&out) }
    out.append(byte)
    column += 1
  }

  /// Puts text with its control characters made visible.
  mutating func put(_ text: ByteSlice, _ out: inout OutputBuffer) {
    if text.isPlain, column + text.count <= width {
      out.append(text)
      column += text.count
      return
    }
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte >= 0x80 {
        let (scalar, length) = UTF8Scalar.decode(text, at: index)
        if let scalar, TerminalText.isShown(scalar) {
          if column >= width { newLine(&out) }
          out.append(text.slice(index, index + length))
          column += 1
        } else if let scalar {
          putEscape(TerminalText.escape(scalar), &out)
        } else {
          putEscape(TerminalText.escape(byte: byte), &out)
        }
        index += length
        continue
      }
      switch byte {
      // A column stays in its line: a source with a line end in it would begin a line as a record does.
      case 0x0a where indent > 0: newLine(&out)
      case 0x09: put(0x20, &out)
      case 0x0d where index + 1 == text.count || text[index + 1] == 0x0a: break
      case 0..<0x20, 0x7f: putEscape(TerminalText.escape(byte: byte), &out)
      default: put(byte, &out)
      }
      index += 1
    }
  }

  private mutating func putEscape(_ escape: String, _ out: inout OutputBuffer) {
    if column + escape.utf8.count > width { newLine(&out) }
    out.append(string: escape)
    column += escape.utf8.count
  }
}
