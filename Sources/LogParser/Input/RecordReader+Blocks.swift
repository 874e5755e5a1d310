import Bytes

/// Records of several lines: each line becomes a record first, and those that belong together are joined.
extension RecordReader {
  /// Continues an open block, or returns what followed one.
  mutating func nextOfBlock(_ lines: inout LineReader, into record: inout Record) -> Outcome {
    hasBlock = true
    defer { hasBlock = !block.isIdle }
    if let outcome = block.takeWaiting(into: &record) {
      guard case .record = outcome, let kind = waitingKind else { return outcome }
      waitingKind = nil
      block.open(kind, with: &record, indentation: indentation)
    }
    while true {
      opening = nil
      let outcome = nextSingle(&lines, into: &record)
      switch outcome {
      case .record:
        if block.take(record) {
          joinedLineCount += 1
          continue
        }
        waitingKind = mayOpen(&lines) ? opening : nil
        opening = nil
        block.close(into: &record, before: outcome)
        return .record
      case .problem, .flawed:
        block.close(into: &record, before: outcome)
        return .record
      case .pause, .end:
        if case .end = outcome, !isFollowed {
          block.close(into: &record)
          return .record
        }
        guard block.isDue else { return outcome }
        block.close(into: &record)
        return .record
      }
    }
  }

  /// The outcome that was read; if a record begins a block, the whole block.
  mutating func joined(_ outcome: Outcome, _ lines: inout LineReader, _ record: inout Record) -> Outcome {
    guard !hasBlock, let kind = opening else { return outcome }
    defer { opening = nil }
    guard case .record = outcome, mayOpen(&lines) else { return outcome }
    block.open(kind, with: &record, indentation: indentation)
    return nextOfBlock(&lines, into: &record)
  }

  /// Whether the last record begins a block, judging by what is known of the next line.
  private func mayOpen(_ lines: inout LineReader) -> Bool {
    guard opening == .indented else { return opening != nil }
    if held.isReplaying { return true }
    guard let byte = lines.nextByte else { return !isFollowed && !lines.isDrained && !lines.tellsPauses }
    if openingHasStack, byte.isLetter || byte == 0x0a { return true }
    return byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
      || byte == UInt8(ascii: ")")
  }

  /// Notes whether a record that a detector read begins a block.
  mutating func noteOpening(_ record: borrowing Record, _ line: ByteSlice, takesIndented: Bool) {
    guard rules.isLenient else { return }
    let isKernels = record.name == "kernel"
    let text = isKernels ? RecordBlock.withoutStamp(record.message) : record.message
    opening = BlockKind.beginning(with: text, isKernels: isKernels)
    indentation = 0
    guard opening == nil, takesIndented else { return }
    opening = .indented
    // systemd-coredump parts what it says of a process from its stack by a blank line.
    openingHasStack =
      RecordBlock.mayHaveStack(record) || record.name.count == 16 && record.name == "systemd-coredump"
    if record.fields.value(of: "host") != nil {
      let place = record.message.base - line.base
      if place >= 0, place <= line.count { indentation = place }
    }
  }
}
