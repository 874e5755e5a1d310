import Bytes
import Logging

/// The columns before a message.
extension PrettyFormatter {
  /// A line for the date and the zone if either has changed since the record before, and for a long pause that no
  /// column shows.
  func putDate(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
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
    let bounds = Timestamp.representableSeconds
    let local = min(max(time.seconds, bounds.lowerBound), bounds.upperBound) + Int64(offset) * 60
    return local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
  }

  /// `YYYY-MM-DD HH:MM:SS.mmm` with the offset, or on a terminal `HH:MM:SS.mmm`.
  @inline(__always)
  func putTime(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
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
    if hasTimeAbove(record, place) { return out.append("            ") }
    let isInferred = record.marks.contains(.timeIsInherited)
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

  /// Whether the record has no time, or has inherited that of the line above.
  private func hasTimeAbove(_ record: borrowing Record, _ place: RecordPlace) -> Bool {
    record.time.isUnset
      || record.marks.contains(.timeIsInherited) && place.delta == 0 && place.count > 1
  }

  /// Ten columns: `   +1.234s`.
  func putDelta(_ record: borrowing Record, _ place: RecordPlace, _ out: inout OutputBuffer) {
    if layout.isTerminal, hasTimeAbove(record, place) { return out.append("          ") }
    var line = out.cursor(reserving: 64)
    let start = line
    line.put(UInt8(ascii: " "))
    if isColored { line.put("\u{1b}[2m") }
    PrettyDuration.put(place.delta, &line)
    line.alignRight(isColored ? 14 : 10, since: start)
    if isColored { line.put("\u{1b}[0m") }
    out.commit(line)
  }

  func putLevel(_ level: LogLevel?, _ marks: RecordMarks, _ out: inout OutputBuffer) {
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

  /// Writes the origin, and returns the rest of the line.
  @inline(__always)
  func putOrigin(_ origin: PrettyOrigin, _ out: inout OutputBuffer) -> PrettyLine {
    let columns = origin.put(width: layout.isTerminal ? layout.originWidth : 0, &out)
    let blanks = max(0, layout.originWidth - columns) + 1
    out.append(upTo: 64) { target in
      for index in 0..<blanks { target[index] = UInt8(ascii: " ") }
      return blanks
    }
    let start = layout.messageColumn + max(0, columns - layout.originWidth)
    return PrettyLine(width: layout.width, indent: layout.indent, column: start, isColored: isColored)
  }
}
