import Bytes
import Glibc
import Logging
import System

/// All selected records of a run's inputs: opens the inputs, reports their problems, and applies the selection. Inputs
/// are read one after the other, or side by side if a ``ReorderWindow`` sorts them.
struct RecordSource: ~Copyable {
  let options: RunOptions
  let diagnostics: Diagnostics
  let inputs: InputList
  let filter: SelectionFilter
  let attribution: Attribution?
  /// The owner of the last record.
  private(set) var owner = Owner()
  /// Whether records are written with their owners.
  private let setsOwner: Bool
  let isFollowed: Bool
  /// The counts, without the lines of inputs that are still open.
  var counted = ReadingStatistics()
  /// The counts so far.
  var statistics: ReadingStatistics {
    mutating get {
      var all = counted
      if let counts = current?.lineCounts { all.add(counts) }
      for counts in merge?.lineCounts ?? [] { all.add(counts) }
      for counts in ordered?.lineCounts ?? [] { all.add(counts) }
      if options.journal == nil { all.recordsOfLines = all.records }
      return all
    }
  }
  private var index = -1
  private var current: OpenInput?
  /// The number of lines read from the current input.
  var lineCount: UInt64 { mutating get { current?.lineCount ?? 0 } }
  /// The format of the last record: a folder in `formats/input`.
  var shape: String { mutating get { current?.shape ?? "" } }
  let streams: Bool
  private let merges: Bool
  /// The inputs that are read side by side, once they are open.
  var merge: InputMerge?
  /// The inputs that are each in order, or followed, once they are open.
  var ordered: OrderedMerge?
  private let isInOrder: Bool
  /// Watches followed files for changes.
  private(set) var followed: FollowedFiles?
  /// Whether the current input is an empty pipe.
  var isPaused = false
  /// Why followed files are about to be read from their start again, once their readers have returned what they hold
  /// back.
  var newStarts: [Int: FollowedFiles.NewStart] = [:]
  var notices: [Int: TruncationNotice] = [:]
  private var journal: JournalRecords?
  private var isDamageNoted = false
  /// Readable when the user has ended a followed run; nil when signals end the process as usual.
  private(set) var stopDescriptor: Int32?

  enum Step {
    case record
    /// No record at present: the followed input has to grow, or the writer of a pipe pauses.
    case waits
    case end
  }

  /// - Parameters:
  ///   - streams: whether records are written as they arrive: the inputs are then read side by side, and ``Step/waits``
  ///     means that one of them is a pipe whose writer pauses.
  ///   - isInOrder: whether each input is in order of time, so that records must be returned in that order.
  init(
    _ options: RunOptions, _ diagnostics: Diagnostics, _ inputs: InputList, isFollowed: Bool,
    tally: SelectionTally, attribution: Attribution?, streams: Bool = false, isInOrder: Bool = false
  ) throws(Run.Failure) {
    self.options = options
    self.diagnostics = diagnostics
    self.inputs = inputs
    self.attribution = attribution
    setsOwner = options.setsOwner
    let watched = isFollowed && options.journal == nil ? Self.watchedPaths(inputs.items) : nil
    // A pipe on standard input ends: text at the end without a line end is a line.
    self.isFollowed = isFollowed && (options.journal != nil || watched != nil)
    var selection = options.selection
    if options.journal != nil {
      // These already select entries, by the journal's own time.
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
      let opened = try Self.open(wanted, options, filter, attribution)
      stopDescriptor = opened.stopDescriptor
      journal = consume opened
    } else if let watched {
      do throws(SystemCallError) {
        let started = try FollowedFiles(watched)
        stopDescriptor = started.stopDescriptor
        followed = started
      } catch {
        throw .message(error.description)
      }
    }
    self.filter = filter
    self.streams = streams
    self.isInOrder = isInOrder || watched != nil
    merges = streams && !isInOrder && watched == nil && inputs.items.count > 1
  }

  private static func open(
    _ journal: JournalOptions, _ options: RunOptions, _ filter: SelectionFilter, _ attribution: Attribution?
  ) throws(Run.Failure) -> JournalRecords {
    var cursor: String?
    if let path = journal.cursorFile { cursor = try CursorFile(path: path).read() }
    do throws(JournalError) {
      return try JournalRecords.open(
        journal, options.selection, filter, attribution, rules: options.rules, afterCursor: cursor,
        isFollowed: options.follows)
    } catch {
      throw .message(error.description)
    }
  }

  /// The time up to which all inputs have been read, if they are read side by side.
  var horizon: Timestamp? { merge?.horizon }

  /// Reads the next selected record into `record`.
  mutating func next(into record: inout Record) throws(Run.Failure) -> Step {
    if options.journal != nil { return try nextOfJournal(into: &record) }
    if isInOrder { return try nextInOrder(into: &record) }
    if merges { return try nextOfMerge(into: &record) }
    while true {
      if journal != nil {
        if case .record = try nextOfJournal(into: &record) { return .record }
        journal = nil
      }
      if current == nil {
        guard try openNext() else { return .end }
        if journal != nil { continue }
      }
      guard let outcome = current?.next(into: &record) else { return .end }
      switch outcome {
      case .record: if accept(&record, index) { return .record }
      case .problem(let problem, let line): try note(problem, inputs.items[index].name, line)
      case .flawed(let problem, let line):
        try note(problem, inputs.items[index].name, line)
        if acceptMended(&record, index) { return .record }
      case .pause:
        isPaused = true
        return .waits
      case .end:
        if let counts = current?.lineCounts { counted.add(counts) }
        let end = current?.finish()
        current = nil
        if let end { try note(end, inputs.items[index]) }
      }
    }
  }

  /// Counts a record that was read; false if it is not selected.
  @inline(__always)
  mutating func accept(_ record: inout Record, _ input: Int) -> Bool {
    counted.note(record)
    record.markTime(options.rules)
    owner = attribution?.owner(of: &record, input: input) ?? Owner(of: record)
    if setsOwner {
      record.set(owner, isMarked: attribution?.marksInferred ?? false)
    } else if record.isInferred {
      record.setInferred([])
    }
    guard filter.accepts(record, owner) else {
      counted.unselected += 1
      return false
    }
    record.input = input
    return true
  }

  /// Counts a record that the rules refuse but that was read nevertheless.
  mutating func acceptMended(_ record: inout Record, _ input: Int) -> Bool {
    counted.mended += 1
    return accept(&record, input)
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
      case .record: if accept(&record, max(0, index)) { return .record }
      case .problem(let problem): try note(problem, inputs.items[max(0, index)].name, journal?.line ?? 0)
      case .flawed(let problem):
        try note(problem, inputs.items[max(0, index)].name, journal?.line ?? 0)
        if acceptMended(&record, max(0, index)) { return .record }
      case .loss(let count): counted.suppressed += count
      case .end:
        noteDamage()
        return isFollowed ? .waits : .end
      }
    }
  }

  /// Notes which parts of the journal could not be read; the rest is read in every format.
  private mutating func noteDamage() {
    for failure in journal?.takeFailures() ?? [] {
      counted.failedInputs += 1
      diagnostics.error(failure.description)
    }
    if journal?.isDamaged ?? false, !isDamageNoted {
      isDamageNoted = true
      counted.failedInputs += 1
      diagnostics.error(
        "\(inputs.items[max(0, index)].name): parts of it could not be read; journalctl --verify names the damaged file"
      )
    }
    counted.journalGaps = journal?.gaps ?? 0
  }

  /// Consumes the signal that ended the run: ``stopDescriptor`` becomes readable again with the next one.
  mutating func takeSignal() {
    followed?.takeSignal()
    journal?.takeSignal()
  }

  /// The journal cursor of the last record.
  mutating func cursor() -> String? { journal?.cursor() ?? nil }

  mutating func note(_ problem: RecordProblem, _ name: String, _ line: UInt64) throws(Run.Failure) {
    if problem.isOverLimit {
      counted.tooLong += 1
    } else {
      if !options.keepsGoing { throw .record(problem, name: name, line: line) }
      counted.bad += 1
    }
    let reported = counted.bad + counted.tooLong
    if reported <= UInt64(options.maximumErrors) { diagnostics.problem(problem, in: name, line: line) }
  }

  /// Notes how an input ended. An empty one is an error if something should have been written to it.
  mutating func note(_ end: InputEnd, _ item: InputPath) throws(Run.Failure) {
    switch end {
    case .whole: break
    case .empty:
      if item.isStandardInput, !options.follows { try fail(InputFailure("standard input is empty")) }
      if options.failsOnEmptyFile { try fail(InputFailure("file \"\(item.path)\" is empty")) }
    case .warned(let text):
      counted.inputWarnings += 1
      diagnostics.warning(text)
    case .failed(let failure): try fail(failure)
    }
  }

  /// Notes an input that cannot be read, or not to its end: the others are still read, unless it ends the run.
  mutating func fail(_ failure: InputFailure) throws(Run.Failure) {
    guard options.toleratesBadInputs else { throw .input(failure) }
    counted.failedInputs += 1
    diagnostics.error(failure.description)
  }

  /// Opens the next input that can be opened; false if there are no more.
  private mutating func openNext() throws(Run.Failure) -> Bool {
    while true {
      index += 1
      guard index < inputs.items.count else { return false }
      do throws(InputFailure) {
        let files = inputs.items[index].journalFiles
        if !files.isEmpty {
          journal = try open(journalFiles: files)
          return true
        }
        current = try OpenInput.open(
          inputs.items[index], index, options.inputOptions, isFollowed: isFollowed, tellsPauses: streams)
        return true
      } catch {
        try fail(error)
      }
    }
  }

  /// After ``Step/waits``: waits until the input has grown.
  ///
  /// - Parameter maximum: the longest wait in milliseconds; negative for no limit.
  mutating func wait(_ maximum: Int32) throws(Run.Failure) -> InputWait {
    let patience =
      holdsBlock() ? (maximum < 0 ? RecordBlock.patience : min(maximum, RecordBlock.patience)) : maximum
    if options.journal != nil { return try waitForJournal(patience) }
    if followed != nil { return try waitForFollowed(patience) }
    do throws(SystemCallError) {
      return isPaused ? try waitForPipe(patience) : .end
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
