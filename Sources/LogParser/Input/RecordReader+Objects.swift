import Bytes

/// JSON objects of several lines: the lines are joined first, and read as one.
extension RecordReader {
  /// Begins an object with a line, or keeps the line raw if that was tried already.
  mutating func openObject(_ line: ByteSlice, _ number: UInt64, _ record: inout Record) -> Outcome? {
    context.isMixed = true
    isBusy = true
    // Lines that waited for a time were tried before.
    if number <= brokenLine || held.isReplaying { return unclaimed(line, number, &record) }
    // What was joined and is still not an object would be joined again, for ever.
    if isJoined {
      if number == joinedLine { return unclaimed(line, number, &record) }
      joinedLine = number
    }
    return proceed(object.open(line, number))
  }

  /// Takes the next line of an open object.
  mutating func addToObject(_ line: ByteSlice, _ number: UInt64) -> Outcome? {
    if object.mayContinue(line) { return proceed(object.add(line, number)) }
    giveUpObject()
    replay.append(Array(line.bytes), number)
    return nil
  }

  private mutating func proceed(_ progress: JSONBlock.Progress) -> Outcome? {
    if case .broken = progress {
      giveUpObject()
      return nil
    }
    for part in object.parts { objects.append(part.bytes, part.line) }
    object.parts = []
    if case .complete = progress { object.close() }
    return nil
  }

  /// Abandons an object that does not end: the complete part of a record is read, other lines are read singly.
  mutating func giveUpObject() {
    object.close()
    let lines = object.lines
    brokenLine = max(brokenLine, lines.last?.line ?? 0)
    var taken = 0
    if let candidate = object.rest().first(where: { isCutRecord($0.bytes) }) {
      cutLine = candidate.line
      objects.append(candidate.bytes, candidate.line)
      taken = object.cutLineCount
    }
    for line in lines.dropFirst(taken) { replay.append(line.bytes, line.line) }
  }

  /// Whether the members are those of a log record.
  private func isCutRecord(_ bytes: [UInt8]) -> Bool {
    var arena = Arena()
    return ByteSlice.withCopy(of: bytes) { text in
      guard text.range(of: "\"msg\"") != nil || text.range(of: "\"MESSAGE\"") != nil,
        let members = try? JSONMembers.flattened(text, &arena)
      else { return false }
      return JSONRecord.isRecord(members) || members.contains("MESSAGE")
    }
  }
}
