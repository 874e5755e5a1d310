import Bytes
import Glibc
import Logging
import System

/// All records of a run's inputs: opens the inputs, says what is wrong with them, and leaves out what the selection does
/// not want. The inputs come one after the other, or side by side where a ``ReorderWindow`` puts them in order.
struct RecordSource: ~Copyable {
  private let options: RunOptions
  private let diagnostics: Diagnostics
  private let inputs: InputList
  private let filter: SelectionFilter
  private let isFollowed: Bool
  private(set) var statistics = ReadingStatistics()
  private var index = -1
  private var current: OpenInput?
  private let streams: Bool
  private let merges: Bool
  /// The inputs that are read side by side, once they are open.
  private var merge: InputMerge?
  private var watch: FileWatch?
  /// Whether the input that is read from is a pipe with nothing in it.
  private var isPaused = false
  /// Why the followed file is about to be read from a start again, once the reader has given what it holds back.
  private var newStart: FileWatch.NewStart?
  private var notice = TruncationNotice()
  private var journal: JournalRecords?
  private var isDamageNoted = false
  /// Readable when the user has ended a followed run; nil when signals end the process as usual.
  private(set) var stopDescriptor: Int32?

  enum Step {
    case record
    /// Nothing for now: the followed input has to grow, or the writer of a pipe pauses.
    case waits
    case end
  }

  /// - Parameter streams: whether records are written as they come: the inputs are then read side by side, and
  ///   ``Step/waits`` tells that one of them is a pipe whose writer pauses.
  init(
    _ options: RunOptions, _ diagnostics: Diagnostics, _ inputs: InputList, isFollowed: Bool,
    tally: SelectionTally, streams: Bool = false
  ) throws(Run.Failure) {
    self.options = options
    self.diagnostics = diagnostics
    self.inputs = inputs
    let watched = isFollowed && options.journal == nil ? Self.watchedPath(inputs.items.first) : nil
    // A pipe on standard input ends: what stands there without a line end is a line.
    self.isFollowed = isFollowed && (options.journal != nil || watched != nil)
    var selection = options.selection
    if options.journal != nil {
      // These choose the entries already, by the journal's own time.
      selection.since = nil
      selection.until = nil
    }
    let filter: SelectionFilter
    do throws(RegularExpression.Problem) {
      filter = try SelectionFilter(selection, tally: tally)
    } catch {
      throw .message(error.description)
    }
    if let wanted = options.journal {
      let opened = try Self.open(wanted, options, filter)
      stopDescriptor = opened.stopDescriptor
      journal = consume opened
    } else if let watched {
      do throws(SystemCallError) {
        let started = try FileWatch(watched)
        stopDescriptor = started.stopDescriptor
        watch = started
      } catch {
        throw .message(error.description)
      }
    }
    self.filter = filter
    self.streams = streams
    merges = streams && inputs.items.count > 1
  }

  private static func open(
    _ journal: JournalOptions, _ options: RunOptions, _ filter: SelectionFilter
  ) throws(Run.Failure) -> JournalRecords {
    var cursor: String?
    if let path = journal.cursorFile { cursor = try CursorFile(path: path).read() }
    do throws(JournalError) {
      return try JournalRecords.open(
        journal, options.selection, filter, rules: options.rules, afterCursor: cursor,
        isFollowed: options.follows)
    } catch {
      throw .message(error.description)
    }
  }

  /// What to watch to follow an input; nil for standard input, which ends, be it a file or a pipe.
  private static func watchedPath(_ item: InputPath?) -> String? {
    item.flatMap { $0.isStandardInput ? nil : $0.path }
  }

  /// The time up to which all inputs have been read, when they are read side by side.
  var horizon: Timestamp? { merge?.horizon }

  /// Reads the next record that is wanted into `record`.
  mutating func next(into record: inout Record) throws(Run.Failure) -> Step {
    if options.journal != nil { return try nextOfJournal(into: &record) }
    if merges { return try nextOfMerge(into: &record) }
    while true {
      if current == nil {
        guard try openNext() else { return .end }
      }
      guard let outcome = current?.next(into: &record) else { return .end }
      switch outcome {
      case .record: if accept(&record, index) { return .record }
      case .problem(let problem, let line): try note(problem, inputs.items[index].name, line)
      case .pause:
        isPaused = true
        return .waits
      case .end:
        if isFollowed {
          if let failure = current?.failure { throw .message(failure.description) }
          if newStart == nil, current?.isTruncated != true { return .waits }
          try startAgain(inputs.items[index])
          continue
        }
        if let end = current?.finish() { try note(end, inputs.items[index]) }
        current = nil
      }
    }
  }

  private mutating func nextOfMerge(into record: inout Record) throws(Run.Failure) -> Step {
    if merge == nil { try openAll() }
    while let member = merge?.first {
      let outcome = member.input.next(into: &record)
      switch outcome {
      case .record:
        merge?.note(record.time)
        if accept(&record, member.input.index) { return .record }
      case .problem(let problem, let line): try note(problem, member.input.item.name, line)
      case .pause:
        isPaused = true
        return .waits
      case .end:
        merge?.removeFirst()
        try note(member.input.finish(), member.input.item)
      }
    }
    return .end
  }

  /// Counts a record that was read; false when the selection does not want it.
  @inline(__always)
  private mutating func accept(_ record: inout Record, _ input: Int) -> Bool {
    statistics.note(record)
    guard filter.accepts(record) else {
      statistics.unselected += 1
      return false
    }
    record.input = input
    return true
  }

  /// The followed file was truncated, or another one has its name: gives what is held back of the old content, then reads
  /// the new one.
  private mutating func startAgain(_ item: InputPath) throws(Run.Failure) {
    guard let reason = newStart else {
      newStart = .truncated
      current?.endFollowing()
      return
    }
    newStart = nil
    // The rest of that line is gone, or went where this run does not read it.
    if let count = current?.unfinishedCount, count > 0 { statistics.truncated += 1 }
    do throws(SystemCallError) {
      switch reason {
      case .replaced:
        try watch?.move()
        index = -1
        current = nil
      case .truncated:
        try current?.restart(options.inputOptions)
        statistics.truncations += 1
        notice.note(item.name, diagnostics)
      }
    } catch {
      throw .message(error.description)
    }
  }

  private mutating func nextOfJournal(into record: inout Record) throws(Run.Failure) -> Step {
    while true {
      var next: JournalRecords.Step?
      do throws(JournalError) {
        next = try journal?.next(into: &record)
      } catch {
        throw .message(error.description)
      }
      guard let step = next else { return .end }
      switch step {
      case .record: if accept(&record, 0) { return .record }
      case .problem(let problem): try note(problem, inputs.items[0].name, journal?.line ?? 0)
      case .loss(let count): statistics.suppressed &+= count
      case .end:
        noteDamage()
        return isFollowed ? .waits : .end
      }
    }
  }

  /// Notes what of the journal could not be read; what can be is, in every format.
  private mutating func noteDamage() {
    for failure in journal?.takeFailures() ?? [] {
      statistics.failedInputs += 1
      diagnostics.error(failure.description)
    }
    if journal?.isDamaged ?? false, !isDamageNoted {
      isDamageNoted = true
      statistics.failedInputs += 1
      diagnostics.error(
        "\(inputs.items[0].name): parts of it could not be read; journalctl --verify names the damaged file")
    }
    statistics.journalGaps = journal?.gaps ?? 0
  }

  /// Takes the signal that ended the run: ``stopDescriptor`` is readable again when another one comes.
  mutating func takeSignal() {
    watch?.takeSignal()
    journal?.takeSignal()
  }

  /// The place in the journal of the record that was read last.
  mutating func cursor() -> String? { journal?.cursor() ?? nil }

  private mutating func note(_ problem: RecordProblem, _ name: String, _ line: UInt64) throws(Run.Failure) {
    if problem.isOverLimit {
      statistics.tooLong += 1
    } else {
      if !options.keepsGoing { throw .record(problem, name: name, line: line) }
      statistics.bad += 1
    }
    let reported = statistics.bad + statistics.tooLong
    if reported <= UInt64(options.maximumErrors) { diagnostics.problem(problem, in: name, line: line) }
  }

  /// Notes how an input ended. One without a byte is an error where something should have been written to it.
  private mutating func note(_ end: InputEnd, _ item: InputPath) throws(Run.Failure) {
    switch end {
    case .whole: break
    case .empty:
      if item.isStandardInput, !options.follows { try fail(InputFailure("standard input is empty")) }
      if options.failsOnEmptyFile { try fail(InputFailure("file \"\(item.path)\" is empty")) }
    case .warned(let text):
      statistics.inputWarnings += 1
      diagnostics.warning(text)
    case .failed(let failure): try fail(failure)
    }
  }

  /// Notes an input that cannot be read, or not to its end: the others still are, unless it ends the run.
  private mutating func fail(_ failure: InputFailure) throws(Run.Failure) {
    guard options.toleratesBadInputs else { throw .input(failure) }
    statistics.failedInputs += 1
    diagnostics.error(failure.description)
  }

  /// Opens the next input that can be opened; false when there is none left.
  private mutating func openNext() throws(Run.Failure) -> Bool {
    while true {
      index += 1
      guard index < inputs.items.count else { return false }
      do throws(InputFailure) {
        current = try OpenInput.open(
          inputs.items[index], index, options.inputOptions, isFollowed: isFollowed, tellsPauses: streams)
        return true
      } catch {
        try fail(error)
      }
    }
  }

  private mutating func openAll() throws(Run.Failure) {
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

  /// After ``Step/waits``: waits until the input has grown.
  ///
  /// - Parameter maximum: how many milliseconds to wait at most; negative for any time.
  mutating func wait(_ maximum: Int32) throws(Run.Failure) -> InputWait {
    let patience =
      holdsBlock() ? (maximum < 0 ? RecordBlock.patience : min(maximum, RecordBlock.patience)) : maximum
    if options.journal != nil { return try waitForJournal(patience) }
    do throws(SystemCallError) {
      if isPaused { return try waitForPipe(patience) }
      guard let watch else { return .end }
      switch try watch.wait(patience) {
      case .nothing: break
      case .grown:
        current?.resume()
      case .replaced:
        // What was written to the old file before it was moved has been read.
        newStart = .replaced
        current?.endFollowing()
      case .stopped: return .stopped
      }
      return .mayHaveMore
    } catch {
      throw .message(error.description)
    }
  }
}

extension RecordSource {
  /// Whether a record of several lines waits for the next of them.
  private mutating func holdsBlock() -> Bool {
    if merges { return merge?.first?.input.holdsBlock() ?? false }
    return current?.holdsBlock() ?? false
  }

  private mutating func waitForJournal(_ patience: Int32) throws(Run.Failure) -> InputWait {
    do throws(JournalError) {
      return try journal?.wait(patience) ?? .end
    } catch {
      throw .message(error.description)
    }
  }

  /// Waits until the paused input can be read.
  private mutating func waitForPipe(_ patience: Int32) throws(SystemCallError) -> InputWait {
    isPaused = false
    let mayHaveMore =
      try merges
      ? merge?.first?.input.waitUntilReadable(orFor: stopDescriptor, patience)
      : current?.waitUntilReadable(orFor: stopDescriptor, patience)
    return mayHaveMore ?? true ? .mayHaveMore : .stopped
  }
}
