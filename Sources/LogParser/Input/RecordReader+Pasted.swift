import Bytes

/// Second attempt at lines that match no format: without the text that was added around them when they were pasted.
extension RecordReader {
  /// Whether lines are searched for added text.
  private var looksIntoLines: Bool { rules.isLenient && format == .auto && repair == nil }

  /// Reads the record in a pasted line with added text; false if there is none.
  mutating func readPasted(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record, into outcome: inout Outcome?
  ) -> Bool {
    guard looksIntoLines, line.count <= PastedText.lengthLimit, !PastedText.isFrame(line),
      let found = findRecord(line, number, &record)
    else { return false }
    let prefix = Array(line.prefix(found.start).trimmed.bytes)
    repair = found.line
    pasted = line
    defer {
      repair = nil
      pasted = nil
    }
    outcome = handle(found.line.slice, number, &record)
    if case .record = outcome {
      if !prefix.isEmpty { record.setFieldKeeping("prefix", record.arena.copy(prefix)) }
      if found.end < line.count { fillFromCarrier(&record, line.dropFirst(found.end)) }
      let suffix = line.dropFirst(found.end).trimmed
      if suffix.bytes.contains(where: { $0.isLetter || $0.isDigit || $0 >= 0x80 }) {
        record.setFieldKeeping("suffix", record.arena.copy(suffix))
      }
      record.fields.sortKeepingLast()
      keptRepair = found.line
    }
    return true
  }

  /// Whether a line has a record of its own, with or without added text.
  mutating func hasOwnRecord(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Bool {
    claims(line, &record, beginsBlock: true) || looksIntoLines && findRecord(line, number, &record) != nil
  }

  private mutating func findRecord(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) -> (line: HeldLines.Line, start: Int, end: Int)? {
    let repaired = PastedCharacters.repaired(line)
    let whole =
      repaired.map { bytes in ByteSlice.withCopy(of: bytes) { HeldLines.Line($0, number) } }
      ?? HeldLines.Line(line, number)
    if repaired != nil, claims(whole.slice, &record) { return (whole, 0, line.count) }
    // Text inside a record is part of it.
    if LogfmtRecord.begins(line) { return nil }
    var text = whole.slice
    var start = 0
    for _ in 0..<PastedText.peelLimit {
      let length = PastedText.frontLength(text)
      if length == 0 { break }
      let isMarked = text.peek(0) == UInt8(ascii: "`")
      learnYear(text, length)
      text = text.dropFirst(length)
      if isMarked, text.hasSuffix("`") { text = text.prefix(text.count - 1) }
      start += length
      if text.isEmpty { return nil }
      if claims(text, &record) {
        // After characters were repaired, offsets in the line differ from those in the text.
        return (HeldLines.Line(text, number), repaired == nil ? start : 0, line.count)
      }
    }
    guard let embedded = EmbeddedRecord.find(in: whole.slice) else { return nil }
    let found = ByteSlice.withCopy(of: embedded.record) { HeldLines.Line($0, number) }
    guard claims(found.slice, &record) else { return nil }
    return (found, repaired == nil ? embedded.start : 0, repaired == nil ? embedded.end : line.count)
  }

  /// The clock of who carried the line says the year of a stamp behind it that has none.
  private func learnYear(_ text: ByteSlice, _ length: Int) {
    guard length > 19, text.peek(0).isDigit,
      text.peek(length).isLetter || text.peek(length) == UInt8(ascii: "#")
    else {
      return
    }
    var scanner = TextScanner(text)
    if let time = scanner.anyTime() { context.text.clock.evidence = time }
  }

  /// Whether a format claims the line as it is.
  ///
  /// - Parameter beginsBlock: whether the first line of a block counts, too. It must not if text was removed from the
  ///   line, because the same text is not removed from the next lines.
  private mutating func claims(_ line: ByteSlice, _ record: inout Record, beginsBlock: Bool = false) -> Bool {
    if LogfmtRecord.begins(line) || TextRecord.looksLikeLogfmt(line) { return true }
    record.reset()
    defer { record.reset() }
    var row = 0
    let wasMixed = context.isMixed
    defer { context.isMixed = wasMixed }
    do throws(RecordProblem) {
      switch try table.read(line, &context, into: &record, by: &row) {
      case .passed, .raw: return false
      case .object, .entry: return beginsBlock
      default: return true
      }
    } catch {
      return false
    }
  }

  /// Takes the fields that a log forwarder added to the record that it carries.
  private func fillFromCarrier(_ record: inout Record, _ rest: ByteSlice) {
    if record.name.isEmpty, let tag = member("\"tag\":\"", of: rest) { record.name = record.arena.copy(tag) }
    if record.fields.value(of: "host") == nil, let host = member("\"hostname\":\"", of: rest), !host.isEmpty {
      record.setField("host", record.arena.copy(host))
    }
  }

  private func member(_ key: StaticString, of text: ByteSlice) -> ByteSlice? {
    guard let place = text.range(of: key) else { return nil }
    let start = place + key.utf8CodeUnitCount
    return text.firstIndex(of: UInt8(ascii: "\""), from: start).map { text.slice(start, $0) }
  }
}
