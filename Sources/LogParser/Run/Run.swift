import Glibc
import Logging
import System

/// One run: reads the inputs and writes one document, as ``Plan`` decides.
package final class Run {
  let options: RunOptions
  let diagnostics: Diagnostics
  var statistics = ReadingStatistics()
  /// Explains why nothing was selected, while nothing is.
  let tally: SelectionTally
  /// Determines the owners of records, if needed; created when the inputs are known.
  var attribution: Attribution?

  package init(_ options: RunOptions, _ diagnostics: Diagnostics) {
    self.options = options
    self.diagnostics = diagnostics
    tally = SelectionTally(options.selection)
  }

  /// Why a run cannot continue; the message is meant for the user.
  package enum Failure: Error {
    case message(String)
    /// An input that cannot be read, or not to its end.
    case input(InputFailure)
    /// No input can be read, and each has been reported.
    case nothingRead
    case record(RecordProblem, name: String, line: UInt64)
  }

  /// Performs the run and returns the exit status.
  package func perform() -> Int32 {
    var status: Int32 = 0
    diagnostics.showsProgress = showsProgress
    do throws(Failure) {
      try performOrThrow()
      explainSelection()
      noteAttribution()
      if statistics.bad + statistics.tooLong + statistics.failedInputs > 0 { status = 1 }
    } catch {
      switch error {
      case .message(let text): diagnostics.error(text)
      case .input(let failure):
        statistics.failedInputs += 1
        let isWorthwhile = !options.follows && (options.files.count > 1 || failure.isPartial)
        let remedy = isWorthwhile ? "; --keep-going writes what can be read" : ""
        diagnostics.error("\(failure)\(remedy)")
      case .nothingRead:
        if options.files.count > 1 { diagnostics.error("no input could be read; nothing was written") }
      case .record(let problem, let name, let line):
        diagnostics.problem(problem, in: name, line: line, readsOn: options.optionThatReadsOn)
      }
      status = 1
    }
    diagnostics.endProgress()
    diagnostics.debug("\(statistics.records) records read")
    RunReport(statistics, options).write(to: diagnostics)
    return status
  }

  /// Reports why nothing was selected. A run that resumes after a cursor often finds nothing new.
  private func explainSelection() {
    if options.journal?.cursorFile != nil { return }
    diagnostics.endProgress()
    if let text = tally.explanation { return diagnostics.warning(text) }
    if let journal = options.journal, statistics.records == 0, journal.lines != 0, !options.follows {
      diagnostics.warning(JournalExplanation.text(journal, options.selection))
    }
  }

  /// Reports records that a selection by owner may have missed because they came too early.
  private func noteAttribution() {
    guard let attribution else { return }
    statistics.early = attribution.earlyRecords
    statistics.forgottenIDs = attribution.forgottenIDs
    guard options.selection.usesOwner, statistics.early > 0 else { return }
    let count = statistics.early
    let words =
      count == 1
      ? "1 record came before the line that names its owner"
      : "\(count) records came before the line that names their owner"
    let remedy = options.canReadTwice ? "; --two-passes finds them" : ""
    diagnostics.warning("\(words), and may be missing\(remedy)")
  }

  /// Reads all inputs to learn the owners of records, without messages: the second pass reports problems.
  private func learnOwners(_ inputs: InputList) throws(Failure) {
    var learning = options
    learning.selection = Selection()
    learning.keepsGoing = true
    let silent = Diagnostics("kata-log-parser")
    silent.isSilent = true
    let tally = SelectionTally(Selection())
    var source = try RecordSource(
      learning, silent, inputs, isFollowed: false, tally: tally, attribution: attribution)
    var record = Record()
    while case .record = try source.next(into: &record) {}
    attribution?.beginSecondPass()
  }

  /// Reports the fields of `--fields` that no record has.
  private func explainFields(_ chosen: [ChosenField]) {
    if options.journal?.cursorFile != nil { return }
    for field in chosen {
      if let text = field.explanation(isSelection: !options.selection.isEverything) {
        diagnostics.warning(text)
      }
    }
  }

  /// Whether to show progress: by default on a terminal to which no results are written.
  private var showsProgress: Bool {
    switch options.progress {
    case .always: true
    case .never: false
    case .auto:
      !options.isQuiet && Terminal(STDERR_FILENO).isTerminal
        && (options.outputFile != nil || options.isCheckOnly || !Terminal(STDOUT_FILENO).isTerminal)
    }
  }

  private func performOrThrow() throws(Failure) {
    if options.files.isEmpty, options.journal == nil {
      throw .message("there is nothing to read: name files, - for standard input, or give --journal")
    }
    let inputs = try InputList(options, diagnostics)
    statistics.failedInputs = inputs.failedCount
    if options.needsOwner {
      attribution = Attribution(
        names: inputs.items.map { options.journal == nil ? $0.path : "" },
        links: inputs.items.map { $0.link },
        marksInferred: options.format != .pretty)
    }
    if options.readsTwice { try learnOwners(inputs) }
    if let line = options.explainedLine { return try explain(line, inputs) }
    if options.summarizes { return try summarize(inputs) }
    let plan = try plan(inputs)
    // A formatter cannot refuse a record that was read, so a check does not need one.
    if options.isCheckOnly { return try render(NullFormatter(), inputs, plan) }
    switch options.format {
    case .csv:
      if options.fields.isEmpty {
        try render(CSVFormatter(), inputs, plan)
      } else {
        let formatter = ChosenCSVFormatter(fields: options.fields)
        try render(formatter, inputs, plan)
        explainFields(formatter.chosen)
      }
    case .json: try render(JSONFormatter(), inputs, plan)
    case .text: try render(TextFormatter(), inputs, plan)
    case .toml: try render(TOMLFormatter(), inputs, plan)
    case .xml: try render(XMLFormatter(), inputs, plan)
    case .yaml: try render(YAMLFormatter(), inputs, plan)
    case .logfmt: try render(LogfmtFormatter(), inputs, plan)
    case .ndjson:
      let formatter = NDJSONFormatter(fields: options.fields)
      try render(formatter, inputs, plan)
      explainFields(formatter.chosen)
    case .pretty: try render(PrettyFormatter(options.pretty), inputs, plan)
    }
  }

  /// The plan of this run; warns if it is not the one that the user asked for.
  private func plan(_ inputs: InputList) throws(Failure) -> Plan {
    try attempt { () throws(SystemCallError) in
      try Plan.decide(
        options, inputs.items,
        fileInOrder: { (input) throws(SystemCallError) in try SortedFile.look(at: input, options) },
        canReadSideBySide: { items in
          let isPossible = InputMerge.isPossible(items)
          if isPossible || options.reorderWindow == nil { return isPossible }
          diagnostics.warning(
            "\(items.count) inputs are too many for --reorder-window to read them side by side (\(InputMerge.inputLimit) at most, \(InputMerge.compressedLimit) of them compressed, fewer under a low ulimit -n): all records are sorted before the first one is written"
          )
          return false
        })
    }
  }

  private func render<F: RecordFormatter>(_ formatter: F, _ inputs: InputList, _ plan: Plan) throws(Failure) {
    switch plan {
    case .inOrder(let file): try writeInOrder(formatter, file, inputs)
    case .followed, .windowed, .merged:
      let isInOrder = if case .merged = plan { true } else { false }
      try stream(formatter, inputs, isInOrder: isInOrder)
    case .sorted: try writeSorted(formatter, inputs)
    case .checked: try readAll(inputs)
    }
  }

  /// Reads all records to check them.
  private func readAll(_ inputs: InputList) throws(Failure) {
    var source = try RecordSource(
      options, diagnostics, inputs, isFollowed: false, tally: tally, attribution: attribution)
    defer { statistics.add(source.statistics) }
    var record = Record()
    var count: UInt64 = 0
    while case .record = try source.next(into: &record) { count += 1 }
    try requireRecords(count, source.statistics)
  }

  /// Throws if there is no record and the user requires one, or if nothing could be read: an existing output file must
  /// not be replaced with an empty one.
  func requireRecords(_ count: UInt64, _ statistics: ReadingStatistics) throws(Failure) {
    let failed = self.statistics.failedInputs + statistics.failedInputs
    if count == 0, options.journal == nil, failed > 0, failed >= UInt64(options.files.count) {
      throw .nothingRead
    }
    if count == 0, options.failsOnNoRecords { throw .message("no log records to process") }
  }
}
