import Basics
import Glibc

/// All records of a run's inputs, one after the other: opens the inputs, says what is wrong with them, and leaves out
/// what the selection does not want.
struct RecordSource: ~Copyable {
  private let options: RunOptions
  private let diagnostics: Diagnostics
  private let inputs: InputList
  private let filter: SelectionFilter
  private let isFollowed: Bool
  private(set) var statistics = ReadingStatistics()
  private var index = -1
  private var file: InputFile?
  private var reader: RecordReader
  private var watch: FileWatch?
  /// Why the followed file is about to be read from a start again, once the reader has given what it holds back.
  private var newStart: FileWatch.NewStart?
  private var notice = TruncationNotice()
  private var journal: JournalRecords?
  /// Readable when the user has ended a followed run; nil when signals end the process as usual.
  private(set) var stopDescriptor: Int32?

  enum Step {
    case record
    /// Nothing for now: the followed input has to grow.
    case waits
    case end
  }

  init(
    _ options: RunOptions, _ diagnostics: Diagnostics, _ inputs: InputList, isFollowed: Bool
  ) throws(Run.Failure) {
    self.options = options
    self.diagnostics = diagnostics
    self.inputs = inputs
    self.isFollowed = isFollowed
    if let options = options.journal {
      let opened = try JournalRecords.open(self.options, options)
      stopDescriptor = opened.stopDescriptor
      journal = consume opened
    } else if isFollowed, let item = inputs.items.first, !item.isStandardInput {
      do throws(SystemCallError) {
        let started = try FileWatch(item.path)
        stopDescriptor = started.stopDescriptor
        watch = started
      } catch {
        throw .message(error.description)
      }
    }
    var selection = options.selection
    if options.journal != nil {
      // These chose the entries already, by the journal's own time.
      selection.since = nil
      selection.until = nil
    }
    filter = try SelectionFilter(selection)
    reader = RecordReader(
      format: options.inputFormat, rules: options.rules, reference: .unset, recordLimit: options.recordLimit)
  }

  /// Reads the next record that is wanted into `record`.
  mutating func next(into record: inout Record) throws(Run.Failure) -> Step {
    if options.journal != nil { return try nextOfJournal(into: &record) }
    while true {
      if file == nil {
        guard try openNext() else { return .end }
      }
      let name = inputs.items[index].name
      let outcome: RecordReader.Outcome
      do throws(SystemCallError) {
        guard let step = try file?.next(&reader, &record) else { return .end }
        outcome = step
      } catch {
        throw .message(error.description)
      }
      switch outcome {
      case .record:
        statistics.note(record)
        guard filter.accepts(record) else {
          statistics.unselected += 1
          continue
        }
        record.input = index
        return .record
      case .problem(let problem, let line):
        // A bad last record of compressed input is the fault of what is wrong with the compression.
        if file?.lines.isDrained ?? false { try file?.finish(name) }
        try note(problem, name, line)
      case .end:
        if isFollowed {
          if newStart == nil, file?.lines.isTruncated != true { return .waits }
          try startAgain(name)
          continue
        }
        let ended = file.take()
        try ended?.finish(name)
        if reader.isUnused { try noteEmpty(inputs.items[index]) }
      }
    }
  }

  /// The followed file was truncated, or another one has its name: gives what is held back of the old content, then reads
  /// the new one.
  private mutating func startAgain(_ name: String) throws(Run.Failure) {
    guard let reason = newStart else {
      newStart = .truncated
      reader.endFollowing()
      return
    }
    newStart = nil
    // The rest of that line is gone, or went where this run does not read it.
    if let count = file?.lines.unfinishedCount, count > 0 { statistics.truncated += 1 }
    do throws(SystemCallError) {
      switch reason {
      case .replaced:
        try watch?.move()
        index = -1
        file = nil
      case .truncated:
        try file?.lines.restart()
        statistics.truncations += 1
        notice.note(name, diagnostics)
        reader = RecordReader(
          format: options.inputFormat, rules: options.rules, reference: LocalTime.now(),
          recordLimit: options.recordLimit, isFollowed: true)
      }
    } catch {
      throw .message(error.description)
    }
  }

  private mutating func nextOfJournal(into record: inout Record) throws(Run.Failure) -> Step {
    while true {
      guard let step = try journal?.next(into: &record) else { return .end }
      switch step {
      case .record:
        statistics.note(record)
        guard filter.accepts(record) else {
          statistics.unselected += 1
          continue
        }
        record.input = 0
        return .record
      case .problem(let problem): try note(problem, inputs.items[0].name, journal?.line ?? 0)
      case .loss(let count): statistics.suppressed &+= count
      case .end:
        statistics.journalGaps = journal?.gaps ?? 0
        return isFollowed ? .waits : .end
      }
    }
  }

  /// The place in the journal of the record that was read last.
  mutating func cursor() -> String? { journal?.cursor ?? nil }

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

  /// An input without a byte. Of standard input that is an error, as something should have written to it.
  private func noteEmpty(_ item: InputList.Item) throws(Run.Failure) {
    if item.isStandardInput { throw .message("standard input is empty") }
    if options.failsOnEmptyFile { throw .message("file \"\(item.path)\" is empty") }
  }

  private mutating func openNext() throws(Run.Failure) -> Bool {
    index += 1
    guard index < inputs.items.count else { return false }
    do throws(SystemCallError) {
      let opened = try InputFile.open(
        inputs.items[index], recordLimit: options.recordLimit, isFollowed: isFollowed)
      reader = RecordReader(
        format: options.inputFormat, rules: options.rules, reference: opened.reference,
        recordLimit: options.recordLimit, isFollowed: isFollowed)
      file = consume opened
    } catch {
      throw .message(error.description)
    }
    return true
  }

  enum Wait {
    /// It is time to look again.
    case mayHaveMore
    /// The user has ended the run.
    case stopped
    /// No more can come.
    case end
  }

  /// After ``Step/waits``: waits until the input has grown.
  ///
  /// - Parameter patience: how many milliseconds to wait at most; negative for any time. For the journal alone.
  mutating func wait(_ patience: Int32 = -1) throws(Run.Failure) -> Wait {
    if options.journal != nil { return try journal?.wait(patience) ?? .end }
    guard let watch, let item = inputs.items.first, !item.isStandardInput else { return .end }
    do throws(SystemCallError) {
      switch try watch.wait() {
      case .grown:
        file?.lines.resume()
      case .replaced:
        // What was written to the old file before it was moved has been read.
        newStart = .replaced
        reader.endFollowing()
      case .stopped: return .stopped
      }
      return .mayHaveMore
    } catch {
      throw .message(error.description)
    }
  }
}

/// Says that a followed file was truncated: at most once a second, with the number of times.
private struct TruncationNotice {
  private var last: Int?
  private var untold = 0

  mutating func note(_ name: String, _ diagnostics: Diagnostics) {
    untold += 1
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    if let last, now.tv_sec - last < 1 { return }
    let times = untold == 1 ? "" : " \(untold) times"
    diagnostics.warning(
      "\(name): truncated\(times) while it was followed; reading goes on at its new start, and what was written last before may be missing"
    )
    last = now.tv_sec
    untold = 0
  }
}

extension InputFile {
  mutating func next(
    _ reader: inout RecordReader, _ record: inout Record
  ) throws(SystemCallError) -> RecordReader.Outcome {
    try reader.next(&lines, into: &record)
  }
}
