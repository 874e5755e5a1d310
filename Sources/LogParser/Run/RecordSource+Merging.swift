import Bytes

/// Several inputs open at once.
extension RecordSource {
  mutating func nextOfMerge(into record: inout Record) throws(Run.Failure) -> Step {
    if merge == nil { try openAll() }
    while let member = merge?.first {
      let outcome = member.input.next(into: &record)
      switch outcome {
      case .record:
        merge?.note(record.time)
        if accept(&record, member.input.index) { return .record }
      case .problem(let problem, let line): try note(problem, member.input.item.name, line)
      case .flawed(let problem, let line):
        try note(problem, member.input.item.name, line)
        merge?.note(record.time)
        if acceptMended(&record, member.input.index) { return .record }
      case .pause:
        isPaused = true
        return .waits
      case .end:
        merge?.removeFirst()
        counted.add(member.input.lineCounts)
        try note(member.input.finish(), member.input.item)
      }
    }
    return .end
  }

  /// Reads the next record of inputs that are each in order, or of followed files.
  mutating func nextInOrder(into record: inout Record) throws(Run.Failure) -> Step {
    if ordered == nil { try isFollowed ? openFollowed() : openInOrder() }
    while true {
      while let member = ordered?.nextToRead {
        switch member.input.next(into: &member.record) {
        case .record: ordered?.hasRead(member)
        case .problem(let problem, let line): try note(problem, member.input.item.name, line)
        case .flawed(let problem, let line):
          try note(problem, member.input.item.name, line)
          counted.mended += 1
          ordered?.hasRead(member)
        case .pause, .end:
          if isFollowed {
            try endOfFollowed(member)
            continue
          }
          ordered?.end(member)
          counted.add(member.input.lineCounts)
          try note(member.input.finish(), member.input.item)
        }
      }
      guard let member = ordered?.takeFirst() else { return isFollowed ? .waits : .end }
      if !isFollowed { noteOrder(member, member.record.time) }
      if accept(&member.record, member.input.index) {
        // The slices of `owner` borrow memory that moves with it.
        swap(&record, &member.record)
        return .record
      }
    }
  }

  /// Counts a record that follows a later one of its input, because the input was written to after it was scanned.
  @inline(__always)
  private mutating func noteOrder(_ member: OrderedMerge.Member, _ time: Timestamp) {
    if let last = member.handedOut, time < last { counted.late += 1 } else { member.handedOut = time }
  }

  mutating func openAll() throws(Run.Failure) {
    var merge = InputMerge()
    let chunkSize = InputMerge.chunkSize(inputs.items.count)
    for (index, item) in inputs.items.enumerated() {
      do throws(InputFailure) {
        merge.add(
          try OpenInput.open(
            item, index, options.inputOptions, isFollowed: false, tellsPauses: streams, chunkSize: chunkSize))
      } catch {
        try fail(error)
      }
    }
    self.merge = merge
  }

  private mutating func openInOrder() throws(Run.Failure) {
    var merge = OrderedMerge(count: inputs.items.count)
    let chunkSize = InputMerge.chunkSize(inputs.items.count)
    for (index, item) in inputs.items.enumerated() {
      do throws(InputFailure) {
        merge.add(
          try OpenInput.open(
            item, index, options.inputOptions, isFollowed: false, tellsPauses: false, chunkSize: chunkSize))
      } catch {
        try fail(error)
      }
    }
    ordered = consume merge
  }

  /// Opens journal files that are read together with log files.
  func open(journalFiles: [String]) throws(InputFailure) -> JournalRecords {
    var wanted = options.journalFilter
    wanted.location = .files(journalFiles)
    do throws(JournalError) {
      return try JournalRecords.open(
        wanted, options.selection, filter, attribution, rules: options.rules, afterCursor: nil,
        isFollowed: false)
    } catch {
      throw InputFailure(error.description)
    }
  }
}
