/// What a run does, once the command line has been understood.
package struct RunOptions: Sendable {
  /// Paths as given, or `-` for standard input.
  package var files: [String] = []
  package var journal: JournalOptions?
  /// Which entries are wanted of journal files among ``files``.
  package var journalFilter = JournalOptions()
  /// Whether the rotated files of each file are read as well.
  package var readsRotated = false
  /// Whether to wait for more when the end of the input is reached.
  package var follows = false
  package var inputFormat = InputFormat.auto
  package var format = OutputFormat.text
  /// Columns or members to write, in order; none means the format's own.
  package var fields: [String] = []
  package var rules = ReadingRules()
  /// Whether the user wants records read leniently; nil when the format decides.
  package var wantsLenient: Bool?
  package var selection = Selection()
  package var isCheckOnly = false
  /// The line of an input of which is said how it is read, in place of the records.
  package var explainedLine: ExplainedLine?
  /// Whether a summary of the sandboxes is written in place of the records.
  package var summarizes = false
  package var outputFile: String?
  package var outputFileMode: UInt32 = 0o600
  package var isQuiet = false
  package var isDebug = false
  package var failsOnEmptyFile = false
  package var failsOnNoRecords = false
  package var keepsGoing = false
  /// How many bad records are reported one by one.
  package var maximumErrors = 20
  package var writesStatistics = false
  package var dropsDuplicates = false
  /// Whether all inputs are read for whom their records belong to before they are read for their records.
  package var readsTwice = false
  /// The longest record in bytes.
  package var recordLimit = 1 << 20
  /// How far, in nanoseconds, a record may come behind a later one for its input to be written as it is read.
  package var reorderWindow: Int64?
  package var threads = 1
  /// Where temporary files are made.
  package var temporaryDirectory = "/var/tmp"
  package var color = TerminalChoice.auto
  /// For the format for people.
  package var pretty = PrettyOptions()
  package var progress = TerminalChoice.auto
  /// Where records are delivered; nil when they are written.
  package var delivery: DeliveryOptions?

  package init() {}

  /// What the reading of each input must know.
  var inputOptions: InputOptions {
    InputOptions(format: inputFormat, rules: rules, recordLimit: recordLimit)
  }

  /// Decides how strictly records are read where the user has not: by the existing tool's rules for its own formats from
  /// files, leniently for all else.
  package mutating func chooseReading() {
    rules.isLenient =
      !rules.isStrict && (wantsLenient ?? (format.isStreaming || journal != nil || follows || isReport))
    if rules.isLenient { rules.allowsMissingFields = true }
    rules.keepsBadRecords = keepsGoing
    rules.keepsJournalFields = format == .fluentd
  }

  /// The option that reads on where the first bad record ended the run.
  var optionThatReadsOn: String { rules.isStrict ? "--keep-going" : "--lenient" }
  /// Whether records are written with whom they belong to: the existing tool's formats keep what a record itself says.
  var setsOwner: Bool { format.isStreaming && !isCheckOnly && !isReport }

  /// Whether it must be found out whom records belong to.
  var needsOwner: Bool { setsOwner || selection.usesOwner || isReport }

  /// Whether something about the records is written in place of them.
  var isReport: Bool { summarizes || explainedLine != nil }

  /// Whether the inputs can be read a second time.
  var canReadTwice: Bool { journal == nil && !follows && !readsTwice && !files.contains("-") }

  /// Whether an input that cannot be read, or not to its end, leaves the others to be read. The formats that are one
  /// document end the run instead, as the log format's original tool does, unless told to keep going.
  var toleratesBadInputs: Bool { !follows && (keepsGoing || format.isStreaming || isReport) }
}
