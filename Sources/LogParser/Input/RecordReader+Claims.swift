import Bytes

/// What becomes of a line that a detector has claimed, or that none has.
extension RecordReader {
  /// Ends the waiting of lines: from now on there is a time to inherit, or none is needed.
  mutating func decide(isMixed: Bool, time: Timestamp) {
    if isMixed { context.isMixed = true } else { isLogfmt = true }
    if lastTime == nil { lastTime = time }
    while let line = objects.next() ?? replay.next() { held.append(line.slice, line.line) }
    held.replay()
  }

  /// Takes a record, which is ready unless it has no time yet.
  mutating func take(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record, by row: Int? = nil
  ) -> Outcome? {
    context.isMixed = true
    if number == cutLine { record.marks.insert(.isTruncated) }
    if rules.isLenient, let row {
      noteOrigin(record, line, row: row)
      if isConsole, table.isOfEitherSide(row) { record.source = AgentRecord.consoleSource }
    }
    return settle(line, number, &record, takesIndented: row.map { table.takesIndented($0) } ?? false)
  }

  /// As ``take(_:_:_:by:)`` for a record that does not affect the other lines of its input.
  mutating func settle(
    _ line: ByteSlice, _ number: UInt64, _ record: inout Record, takesIndented: Bool = false
  ) -> Outcome? {
    if record.time.isUnset {
      guard let lastTime else { return hold(line, number) }
      noteOpening(record, line, takesIndented: takesIndented)
      inherit(lastTime, &record)
      return .record
    }
    if !held.isEmpty, !held.isReplaying {
      held.append(pasted ?? line, number)
      decide(isMixed: context.isMixed, time: record.time)
      return nil
    }
    lastTime = record.time
    lastIsGuests = record.source.count == 5 && record.source == "agent"
    noteOpening(record, line, takesIndented: takesIndented)
    return .record
  }

  private func inherit(_ time: Timestamp, _ record: inout Record) {
    record.time = time
    record.time.inferred = []
    record.marks.insert(.timeIsInherited)
    record.setField("kata-log-parser-time-inherited", record.arena.copy("true" as StaticString))
    record.fields.sortKeepingLast()
  }

  private mutating func hold(_ line: ByteSlice, _ number: UInt64) -> Outcome? {
    held.append(pasted ?? line, number)
    if held.byteCount > Self.heldLimit { decide(isMixed: context.isMixed, time: reference) }
    return nil
  }

  /// Handles a line that matches no format.
  mutating func unclaimed(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    if context.isMixed || rules.isLenient || format != .auto {
      if line.trimmed.isEmpty {
        counts.blank += 1
        return nil
      }
      var outcome: Outcome?
      if readPasted(line, number, &record, into: &outcome) { return outcome }
      return keepRaw(line, number, &record)
    }
    if isLogfmt { return readLogfmt(line, number, &record) }
    return hold(line, number)
  }

  /// Keeps a line as it is: its text is the message.
  mutating func keepRaw(
    _ whole: ByteSlice, _ number: UInt64, _ record: inout Record, isCut: Bool = false
  ) -> Outcome? {
    if rules.isStrict {
      return refuse(
        RecordProblem("the line matches no log format", remedy: "leave out --strict to keep it as it is"),
        whole, number, &record)
    }
    if whole.peek(0) == UInt8(ascii: "N") { context.describedPod.note(whole) }
    guard let lastTime else { return hold(whole, number) }
    makeRaw(whole, number, &record)
    if isCut {
      record.marks.insert(.isTruncated)
    } else {
      noteOpening(record, whole, takesIndented: false)
    }
    inherit(lastTime, &record)
    return .record
  }

  /// Makes a record of an unparsed line, except for its time.
  private func makeRaw(_ whole: ByteSlice, _ number: UInt64, _ record: inout Record) {
    let line = whole.droppingLast(UInt8(ascii: "\r"))
    record.reset()
    record.line = number
    record.message = record.arena.copy(ConsoleText.display(line, &record.arena))
    if record.message.count != line.count { record.setField("console", record.arena.copy(line)) }
    if isConsole, rules.isLenient {
      keepConsoleText(&record)
    } else {
      record.marks.insert(.isRaw)
      record.setField("kata-log-parser-raw", record.arena.copy("true" as StaticString))
    }
    record.fields.sortKeepingLast()
  }

  /// Handles a line that the rules refuse: reports the problem, and reads the record as well as it can be if requested.
  func refuse(
    _ problem: RecordProblem, _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) -> Outcome {
    guard rules.keepsBadRecords, !problem.isOverLimit, !line.trimmed.isEmpty else {
      return .problem(problem, line: number)
    }
    let text = line.droppingLast(UInt8(ascii: "\r"))
    if LenientLogfmt.begins(text) {
      record.reset()
      record.line = number
      LenientLogfmt.read(text, into: &record, rules: rules)
    } else {
      makeRaw(text, number, &record)
    }
    if record.time.isUnset { inherit(lastTime ?? reference, &record) }
    return .flawed(problem, line: number)
  }

  /// Handles an entry that ends in the middle of a field: makes a record of the fields before, if requested.
  mutating func refuseEntry(_ problem: RecordProblem, _ record: inout Record) -> Outcome {
    guard rules.isLenient || rules.keepsBadRecords, let outcome = finishEntry(&record) else {
      return .problem(problem, line: entry.firstLine)
    }
    if case .record = outcome, !rules.isLenient { return .flawed(problem, line: entry.firstLine) }
    return outcome
  }

  /// Abandons a waiting head, because the line is not its rest: the head is kept raw, and the line is read once more.
  mutating func giveUp(
    _ head: HeldLines.Line, _ line: ByteSlice, _ number: UInt64, _ record: inout Record
  ) -> Outcome? {
    context.isMixed = true
    let outcome = keepRaw(head.slice, head.line, &record, isCut: true)
    // The head's line has produced a record already, of the text after the head.
    counts.split += 1
    held.replayNext(line, number)
    return outcome
  }

  /// Reads a line of a container's log, which may be a part of one; false while more parts are expected.
  mutating func readPart(
    _ wrapper: Wrapper, isPartial: Bool, _ number: UInt64, _ record: inout Record
  ) throws(RecordProblem) -> Bool {
    context.isMixed = true
    switch parts.add(wrapper, isPartial: isPartial, line: number) {
    case .waits: return false
    case .single: _ = try context.claim(wrapper, &record)
    case .joined(let line, let first):
      record.line = line.line
      var whole = first
      whole.payload = record.arena.copy(line.slice)
      _ = try context.claim(whole, &record)
    case .tooLong(let count): throw .tooLong(count, limit: recordLimit)
    }
    return true
  }

  /// Reads the parts of a line whose last part never arrived.
  mutating func readRest(_ wrapper: Wrapper, _ number: UInt64, _ record: inout Record) -> Outcome {
    record.reset()
    record.line = number
    do throws(RecordProblem) {
      var copy = wrapper
      copy.payload = record.arena.copy(wrapper.payload)
      _ = try context.claim(copy, &record)
      record.marks.insert(.isTruncated)
      if record.time.isUnset { inherit(lastTime ?? reference, &record) }
      return .record
    } catch {
      return .problem(error, line: number)
    }
  }

  /// Reads a complete entry of the journal's export format.
  mutating func finishEntry(_ record: inout Record) -> Outcome? {
    context.isMixed = true
    record.reset()
    record.line = entry.firstLine
    do throws(RecordProblem) {
      try entry.withFields { (fields) throws(RecordProblem) in
        try JournalEntry.read(fields, time: entry.time, into: &record, text: context.text)
      }
      if entry.isCut { record.marks.insert(.isTruncated) }
      if record.time.isUnset { inherit(lastTime ?? reference, &record) }
      lastTime = record.time
      return .record
    } catch {
      return .problem(error, line: entry.firstLine)
    }
  }
}
