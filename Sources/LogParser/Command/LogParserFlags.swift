import CommandLine

/// What the command line sets: the run's options, and what else may be asked for.
struct CommandSettings {
  var run = RunOptions()
  /// What to print and leave it at that.
  var request: CommandRequest?
  var usesJournalOption: String?
  var usesJournal = false
  /// Whether the user chose the output's format.
  var hasFormat = false
  var usesPager = true
  var delivery = DeliveryOptions()
  var usesDeliveryOption: String?

  /// The journal's options; asking for them without a journal is an error that ``LogParserCommand`` reports.
  var journal: JournalOptions {
    get { run.journal ?? JournalOptions() }
    set { run.journal = newValue }
  }
}

/// All options of `kata-log-parser`.
enum LogParserFlags {
  typealias Settings = CommandSettings

  static var all: [Flag<Settings>] {
    input + journal + selection + output + delivery + terminal + errors + other
  }

  private static let outputSection = "Output"
  private static let inputSection = "Input"
  private static let errorSection = "Bad and lost records"
  private static let otherSection = "Other"

  private static var output: [Flag<Settings>] {
    [
      Flag(
        "output-format", nil, .choice("FORMAT", OutputFormat.allCases.map(\.rawValue)), in: outputSection,
        "Write the records in this format",
        detail:
          "csv, json, text, toml, xml and yaml are one document each, sorted by time. ndjson (one JSON object a line), logfmt and pretty (aligned and coloured, for people) are lines that can be written as records arrive. fluentd is delivered to --endpoint; without one it is the same records as JSON, one a line. The default is pretty on a terminal, and text everywhere else."
      ) { (settings, text) throws(UsageError) in
        guard let format = OutputFormat(rawValue: text) else { throw UsageError("\"\(text)\" is no format") }
        settings.run.format = format
        settings.hasFormat = true
      },
      Flag(
        "output-file", "o", .file("FILE"), in: outputSection, "Write to a file instead of standard output",
        detail:
          "The file appears under its name when it is complete; an error leaves what was there before."
      ) { (settings, text) throws(UsageError) in settings.run.outputFile = text.isEmpty ? nil : text },
      Flag(
        "output-file-mode", nil, .text("MODE"), in: outputSection,
        "Give the output file these permissions",
        detail: "An octal number. The default is 0600: logs of a node hold what its guests print."
      ) { (settings, text) throws(UsageError) in
        guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
          throw UsageError("\"\(text)\" is no octal number from 0 to 0777")
        }
        settings.run.outputFileMode = mode
      },
      Flag(
        "fields", nil, .text("NAMES"), in: outputSection, "Write only these fields, in this order",
        detail:
          "For csv and ndjson: names joined by commas, such as time,level,msg,sandbox or the key of an extra field. Blanks around a name do not count. A name that no record has is reported at the end."
      ) { (settings, text) throws(UsageError) in
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
        guard !names.contains("") else { throw UsageError("\"\(text)\" has an empty name") }
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
          throw UsageError("\"\(name)\" is named twice; leave one of them out")
        }
        settings.run.fields = names
      },
      Flag(
        "list-output-formats", in: outputSection, "List the output formats and exit"
      ) { (settings, text) throws(UsageError) in
        if text == "true" {
          settings.request = .text(OutputFormat.allCases.map { $0.rawValue + "\n" }.joined())
        }
      },
      Flag(
        "summary", in: outputSection, "Write what there is to say of each sandbox in place of the records",
        detail:
          "Its pod, containers and runtime, when it was seen first and last, how long it took to be ready, its errors and losses; those that failed come first. A table, or JSON with --output-format json or ndjson. 4,096 sandboxes are told apart.",
        sets: \.run.summarizes),
      Flag(
        "explain", nil, .text("LINE"), in: outputSection, "Say how one line is read, in place of the records",
        detail:
          "Which shape it is taken for, what is read from it, what is inferred and from what. LINE is a number, or FILE:LINE where there are several files. The lines before it are read for what they tell of its owner."
      ) { (settings, text) throws(UsageError) in
        guard let line = ExplainedLine(text) else {
          throw UsageError("\"\(text)\" is neither LINE nor FILE:LINE; lines count from 1")
        }
        settings.run.explainedLine = line
      },
      Flag(
        "check-only", "c", in: outputSection, "Read everything and write nothing",
        detail: "The exit status and standard error tell whether all records are good.",
        sets: \.run.isCheckOnly),
    ]
  }

  private static var input: [Flag<Settings>] {
    [
      Flag(
        "input-format", nil, .choice("FORMAT", InputFormat.allCases.map(\.rawValue)), in: inputSection,
        "Take every line for this format",
        detail:
          "auto, the default, finds out record by record: the runtime's logfmt, JSON of its loggers, Docker's or the journal's, journal export, syslog, journalctl's text, CRI, Linux audit, and captures of a guest's console. A directory stands for the log files in it, the oldest of each rotated set first. Files compressed by gzip, xz, zstd or bzip2 are read through those tools. UTF-16 and byte order marks are understood, and a journal file is read as --journal-file reads it."
      ) { (settings, text) throws(UsageError) in
        settings.run.inputFormat = InputFormat(rawValue: text) ?? .auto
      },
      Flag(
        "follow", "f", in: inputSection, "Wait for more records and write each as it comes",
        detail:
          "With --journal, files or standard input, in the formats ndjson, logfmt, pretty and fluentd. Several files are followed at once, and what they hold at the start is merged by time; a file that is not there yet is waited for. A file that is rotated is followed under its name; one that is truncated in place is read on from its new start, with a warning. Standard input is read to its end. SIGINT and SIGTERM end the run with status 0; with --cursor-file it waits up to 10 s for the reader of its output then, which another signal ends.",
        sets: \.run.follows),
      Flag(
        "rotated", in: inputSection, "Read the rotated files of each file as well",
        detail:
          "For kata.log: kata.log.1, kata.log.2.gz, kata.log-20260301 and the like in its directory, the oldest first. A directory is read with all its rotated files in any case.",
        sets: \.run.readsRotated),
      Flag(
        "reorder-window", nil, .text("TIME"), in: inputSection,
        "Write records as they come, sorted within this time",
        detail:
          "For input that is nearly in order, such as 500ms or 2s: memory stays constant and output begins at once. Several inputs are read side by side and merged by time; a pipe among them is waited for. Without it all input is read before the first record is written. A record that comes later than the window allows is written where it came, and counted. With --follow, records that wait are also written when none has come for this time."
      ) { (settings, text) throws(UsageError) in
        settings.run.reorderWindow = try FlagValue.duration(text)
      },
      Flag(
        "max-record-size", nil, .text("SIZE"), in: inputSection, "Pass over longer records",
        detail:
          "From 1K to 64M, with K or M for KiB and MiB; the default is 1M. A record over the limit is reported and left out, and the exit status is 1."
      ) { (settings, text) throws(UsageError) in
        settings.run.recordLimit = try FlagValue.size(text, 1 << 10...64 << 20)
      },
      Flag(
        "year", nil, .text("YYYY"), in: inputSection, "Year of the first time that has none",
        detail:
          "For syslog and klog. Later lines of the file are in the year that puts them nearest to the line before. Without it, times are in the latest year that is not after the file's last change."
      ) { (settings, text) throws(UsageError) in
        settings.run.rules.year = try FlagValue.number(text, 1970...9998)
      },
      Flag(
        "timezone", nil, .text("ZONE"), in: inputSection, "Zone of times that name none",
        detail:
          "A name such as Europe/Berlin, or an offset such as +02:00. It also holds for times on the command line. The default is TZ, or this machine's zone."
      ) { (_, text) throws(UsageError) in
        // It was put to use before the options were read.
        _ = try TimeZoneName.checked(text)
      },
      Flag("no-agent-unpack", in: inputSection, "Leave the agent's records inside the lines that carry them")
      {
        (settings, text) throws(UsageError) in settings.run.rules.unpacksAgent = text != "true"
      },
      Flag(
        "dedupe", in: inputSection, "Drop copies of a record",
        detail:
          "Records of the same time, process and message are one: a record may be in the journal both as kata's and as containerd's.",
        sets: \.run.dropsDuplicates),
    ]
  }

  private static var errors: [Flag<Settings>] {
    [
      Flag(
        "keep-going", in: errorSection, "Report bad records and inputs instead of stopping",
        detail:
          "A bad record is reported and written as well as it can be read, and the exit status is 1; blank lines and records over the size limit are left out. Of a damaged input everything before the damage is written. In ndjson, logfmt, pretty and fluentd a bad input never stops the run.",
        sets: \.run.keepsGoing),
      Flag(
        "max-errors", nil, .text("N"), in: errorSection, "Report this many bad records one by one",
        detail: "Further ones are only counted. The default is 20."
      ) { (settings, text) throws(UsageError) in
        settings.run.maximumErrors = try FlagValue.number(text, 0...1_000_000)
      },
      Flag(
        "ignore-missing-fields", in: errorSection, "Accept records without pid, level, source or name",
        sets: \.run.rules.allowsMissingFields),
      Flag(
        "lenient", in: errorSection, "Read every record as well as it can be read",
        detail:
          "Nothing that a person can read is lost: missing fields are empty, a key may have blanks, a value may have quotes or no end, and a line of no format is kept as it is. This is the default of ndjson, logfmt, pretty and fluentd, of the journal and with --follow. For csv, json, text, toml, xml and yaml from files the first record that breaks a rule of the existing tool ends the run instead, unless lenient = true is in the file of defaults or KATA_LOG_PARSER_LENIENT is 1."
      ) { (settings, text) throws(UsageError) in settings.run.wantsLenient = text == "true" },
      Flag(
        "strict", "s", in: errorSection, "Hold every record to the rules, in every format",
        detail:
          "A record that lacks a field or breaks another rule, an agent's record that cannot be read and a line of no format are errors, of which the first ends the run.",
        sets: \.run.rules.isStrict),
      Flag(
        "error-if-file-empty", in: errorSection, "Take an empty file for an error",
        sets: \.run.failsOnEmptyFile),
      Flag(
        "error-if-no-records", in: errorSection, "Fail if there are no records to write",
        sets: \.run.failsOnNoRecords),
      Flag(
        "stats", in: errorSection, "Write counts as one line of JSON to standard error at the end",
        detail:
          "Records read, raw, bad, too long, truncated, suppressed, dropped, duplicate, unselected and late; inputs that failed or were warned of; gaps in the journal; and what each line of the inputs became.",
        sets: \.run.writesStatistics),
    ]
  }

  private static var other: [Flag<Settings>] {
    [
      Flag(
        "threads", nil, .text("N"), in: otherSection, "Work with this many threads",
        detail:
          "From 1 to 64; the default is 2, or 1 where there is one processor. Output is the same with any number."
      ) { (settings, text) throws(UsageError) in settings.run.threads = try FlagValue.number(text, 1...64) },
      Flag(
        "temp-dir", nil, .directory("DIR"), in: otherSection, "Keep temporary files here",
        detail:
          "Input that is not in order is kept in a file without a name until it is written. The default is TMPDIR, or /var/tmp."
      ) { (settings, text) throws(UsageError) in settings.run.temporaryDirectory = text },
      Flag(
        "progress", nil, .choice("WHEN", TerminalChoice.allCases.map(\.rawValue)), in: otherSection,
        "Show progress on standard error",
        detail: "auto, the default, shows it on a terminal when a run takes more than a second."
      ) { (settings, text) throws(UsageError) in
        settings.run.progress = TerminalChoice(rawValue: text) ?? .auto
      },
      Flag("quiet", "q", in: otherSection, "Write no warnings", sets: \.run.isQuiet),
      Flag("debug", in: otherSection, "Say more on standard error", sets: \.run.isDebug),
    ] + CommandRequest.flags(\.request, in: otherSection)
  }
}
