/// The options of a run.
package struct RunOptions: Sendable {
  /// Paths as given, or `-` for standard input.
  package var files: [String] = []
  package var journal: JournalOptions?
  /// The entries to select from journal files among ``files``.
  package var journalFilter = JournalOptions()
  /// Whether the rotated files of each file are read as well.
  package var readsRotated = false
  /// Whether to wait for more when the end of the input is reached.
  package var follows = false
  package var inputFormat = InputFormat.auto
  package var format = OutputFormat.text
  /// Columns or members to write, in order; empty for the format's default.
  package var fields: [String] = []
  package var rules = ReadingRules()
  /// Whether the user wants records read leniently; nil if the format decides.
  package var wantsLenient: Bool?
  package var selection = Selection()
  package var isCheckOnly = false
  /// The line to explain instead of writing records.
  package var explainedLine: ExplainedLine?
  /// Whether a summary of the sandboxes is written instead of records.
  package var summarizes = false
  package var outputFile: String?
  package var outputFileMode: UInt32 = 0o600
  package var isQuiet = false
  package var isDebug = false
  package var failsOnEmptyFile = false
  package var failsOnNoRecords = false
  package var keepsGoing = false
  /// The maximum number of bad records that are reported individually.
  package var maximumErrors = 20
  package var writesStatistics = false
  package var dropsDuplicates = false
  /// Whether all inputs are first read to learn the owners of records.
  package var readsTwice = false
  /// The maximum size of a record in bytes.
  package var recordLimit = 1 << 20
  /// The reorder window in nanoseconds: how far a record may lag behind a later one; nil for none.
  package var reorderWindow: Int64?
  package var threads = 1
  /// The directory of temporary files.
  package var temporaryDirectory = "/var/tmp"
  package var color = TerminalChoice.auto
  /// Options of `pretty`.
  package var pretty = PrettyOptions()
  package var progress = TerminalChoice.auto

  package init() {}

  /// The options for reading each input.
  var inputOptions: InputOptions {
    InputOptions(format: inputFormat, rules: rules, recordLimit: recordLimit)
  }

  /// Chooses how strictly records are read if the user has not: by the Go tool's rules for its own formats from files,
  /// leniently otherwise.
  package mutating func chooseReading() {
    rules.isLenient =
      !rules.isStrict && (wantsLenient ?? (format.isStreaming || journal != nil || follows || isReport))
    if rules.isLenient { rules.allowsMissingFields = true }
    rules.keepsBadRecords = keepsGoing
  }

  /// The option that continues past the first bad record.
  var optionThatReadsOn: String { rules.isStrict ? "--keep-going" : "--lenient" }
  /// Whether records are written with their owners: the Go tool's formats keep what a record itself says.
  var setsOwner: Bool { format.isStreaming && !isCheckOnly && !isReport }

  /// Whether the owners of records must be determined.
  var needsOwner: Bool { setsOwner || selection.usesOwner || isReport }

  /// Whether a report is written instead of records.
  var isReport: Bool { summarizes || explainedLine != nil }

  /// Whether the inputs can be read a second time.
  var canReadTwice: Bool { journal == nil && !follows && !readsTwice && !files.contains("-") }

  /// Whether the other inputs are still read after one that cannot be read, or not to its end. In the formats that are
  /// one document it ends the run instead, as in the Go tool, unless `--keep-going` is given.
  var toleratesBadInputs: Bool { !follows && (keepsGoing || format.isStreaming || isReport) }
}
