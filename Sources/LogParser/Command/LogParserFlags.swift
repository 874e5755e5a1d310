import CommandLine

/// What the command line sets: the run's options, and any other request.
struct CommandSettings {
  var run = RunOptions()
  /// What to print instead of running.
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
        "Write records in this format",
        detail:
          "csv, json, text, toml, xml and yaml are one document each, sorted by time. ndjson (one JSON object a line), logfmt and pretty (aligned and coloured, for people) are lines that can be written as records arrive. fluentd is delivered to --endpoint; without one it is the same records as JSON, one a line. otlp is OpenTelemetry's logs, likewise; its lines have up to 512 records each. The default is pretty on a terminal, and text everywhere else."
      ) { (settings, text) throws(UsageError) in
        guard let format = OutputFormat(rawValue: text) else {
          throw UsageError("\"\(text)\" is not an output format")
        }
        settings.run.format = format
        settings.hasFormat = true
      },
      Flag(
        "output-file", "o", .file("FILE"), in: outputSection, "Write to a file instead of standard output",
        detail:
          "The file appears under its name only when it is complete; after an error, an existing file is unchanged."
      ) { (settings, text) throws(UsageError) in settings.run.outputFile = text.isEmpty ? nil : text },
      Flag(
        "output-file-mode", nil, .text("MODE"), in: outputSection,
        "Permissions of the output file",
        detail: "An octal number. The default is 0600: logs contain what guests print."
      ) { (settings, text) throws(UsageError) in
        guard let mode = UInt32(text, radix: 8), mode <= 0o777 else {
          throw UsageError("\"\(text)\" is not an octal number from 0 to 0777")
        }
        settings.run.outputFileMode = mode
      },
      Flag(
        "fields", nil, .text("NAMES"), in: outputSection, "Write only these fields, in this order",
        detail:
          "For csv and ndjson: names separated by commas, such as time,level,msg,sandbox or the key of an extra field. Blanks around a name are ignored. A name that no record has is reported at the end."
      ) { (settings, text) throws(UsageError) in
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
        guard !names.contains("") else { throw UsageError("\"\(text)\" has an empty name") }
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
          throw UsageError("\"\(name)\" is named twice; leave one of them out")
        }
        settings.run.fields = names
      },
      Flag(
        "redact", in: outputSection, "Replace secrets with [redacted]",
        detail:
          "In messages and fields: the values of environment variables, passwords, tokens, Authorization headers, private keys, and passwords in URLs. This is the default with --endpoint. --stats counts the replacements."
      ) { (settings, text) throws(UsageError) in settings.run.wantsRedaction = text == "true" },
      Flag("no-redact", in: outputSection, "Leave secrets as they are, even with --endpoint") {
        (settings, text) throws(UsageError) in settings.run.wantsRedaction = text != "true"
      },
      Flag(
        "list-output-formats", in: outputSection, "List the output formats and exit"
      ) { (settings, text) throws(UsageError) in
        if text == "true" {
          settings.request = .text(OutputFormat.allCases.map { $0.rawValue + "\n" }.joined())
        }
      },
      Flag(
        "summary", in: outputSection, "Write a summary of each sandbox instead of the records",
        detail:
          "Its pod, containers and runtime, the times of its first and last record, how long it took to become ready, its errors and losses; failed sandboxes come first. A table, or JSON with --output-format json or ndjson. Covers up to 4,096 sandboxes.",
        sets: \.run.summarizes),
      Flag(
        "explain", nil, .text("LINE"), in: outputSection,
        "Explain how one line is read, instead of writing records",
        detail:
          "Its input format, the values read from it, and what is inferred from what. LINE is a number, or FILE:LINE if there are several files. The lines before it are read too, because they can say which sandbox it belongs to."
      ) { (settings, text) throws(UsageError) in
        guard let line = ExplainedLine(text) else {
          throw UsageError("\"\(text)\" is neither LINE nor FILE:LINE; lines count from 1")
        }
        settings.run.explainedLine = line
      },
      Flag(
        "check-only", "c", in: outputSection, "Check the input without writing records",
        detail: "The exit status and standard error say whether all records are good.",
        sets: \.run.isCheckOnly),
    ]
  }

  private static var input: [Flag<Settings>] {
    [
      Flag(
        "input-format", nil, .choice("FORMAT", InputFormat.allCases.map(\.rawValue)), in: inputSection,
        "Read every line as this format",
        detail:
          "auto, the default, detects the format of each record: the runtime's logfmt, JSON of its loggers, Docker's or the journal's, journal export, syslog, journalctl's text, CRI, Linux audit, and captures of a guest's console. A directory means the log files in it, oldest first within each rotated set. Files compressed with gzip, xz, zstd or bzip2 are decompressed with those tools. UTF-16 and byte order marks are handled, and a journal file is read as with --journal-file."
      ) { (settings, text) throws(UsageError) in
        settings.run.inputFormat = InputFormat(rawValue: text) ?? .auto
      },
      Flag(
        "follow", "f", in: inputSection, "Wait for more records and write each as it arrives",
        detail:
          "With --journal, files or standard input, in the formats ndjson, logfmt, pretty, fluentd and otlp. Several files are followed at once, and what they hold at the start is merged by time; a file that is not there yet is waited for. A file that is rotated is followed under its name; one that is truncated in place is read on from its new start, with a warning. Standard input is read to its end. SIGINT and SIGTERM end the run with status 0; with --cursor-file it waits up to 10 s for the reader of its output then, which another signal ends.",
        sets: \.run.follows),
      Flag(
        "rotated", in: inputSection, "Also read the rotated files of each file",
        detail:
          "For kata.log: kata.log.1, kata.log.2.gz, kata.log-20260301 and the like in its directory, oldest first. A directory always includes its rotated files.",
        sets: \.run.readsRotated),
      Flag(
        "reorder-window", nil, .text("TIME"), in: inputSection,
        "Write records as they arrive, sorted within this time",
        detail:
          "Such as 500ms or 2s, for input that is nearly in order: memory use stays constant and output begins at once. Several inputs are read side by side and merged by time, waiting for pipes among them. Without this option, input other than logfmt files in order is read to the end before the first record is written. A record later than the window is written where it arrives, and counted. With --follow, waiting records are also written when none has arrived for this time."
      ) { (settings, text) throws(UsageError) in
        settings.run.reorderWindow = try FlagValue.duration(text)
      },
      Flag(
        "max-record-size", nil, .text("SIZE"), in: inputSection, "Maximum size of a record",
        detail:
          "From 1K to 64M, with K or M for KiB and MiB; the default is 1M. A longer record is reported and left out, and the exit status is 1."
      ) { (settings, text) throws(UsageError) in
        settings.run.recordLimit = try FlagValue.size(text, 1 << 10...64 << 20)
      },
      Flag(
        "year", nil, .text("YYYY"), in: inputSection, "Year of the first timestamp without one",
        detail:
          "For syslog and klog. Each later line of the file gets the year that puts it nearest to the line before. Without this option, timestamps get the latest year that is not after the file's last change."
      ) { (settings, text) throws(UsageError) in
        settings.run.rules.year = try FlagValue.number(text, 1970...9998)
      },
      Flag(
        "timezone", nil, .text("ZONE"), in: inputSection, "Time zone of timestamps without one",
        detail:
          "A name such as Europe/Berlin, or an offset such as +02:00. It also holds for times on the command line. The default is TZ, or this machine's zone."
      ) { (settings, text) throws(UsageError) in
        // It was put to use before the options were read.
        _ = try TimeZoneName.checked(text)
        settings.run.rules.knowsZone = true
      },
      Flag("no-agent-unpack", in: inputSection, "Do not unpack agent records from the lines that carry them")
      {
        (settings, text) throws(UsageError) in settings.run.rules.unpacksAgent = text != "true"
      },
      Flag(
        "dedupe", in: inputSection, "Drop duplicate records",
        detail:
          "Records with the same time, process and message are duplicates: the journal can hold a record both as kata's and as containerd's.",
        sets: \.run.dropsDuplicates),
    ]
  }

  private static var errors: [Flag<Settings>] {
    [
      Flag(
        "keep-going", in: errorSection, "Report bad records and inputs, and continue",
        detail:
          "A bad record is reported and written as well as it can be read, and the exit status is 1; blank lines and records over the size limit are left out. Of a damaged input everything before the damage is written. In ndjson, logfmt, pretty, fluentd and otlp a bad input never stops the run.",
        sets: \.run.keepsGoing),
      Flag(
        "max-errors", nil, .text("N"), in: errorSection,
        "Maximum number of bad records to report individually",
        detail: "More are only counted. The default is 20."
      ) { (settings, text) throws(UsageError) in
        settings.run.maximumErrors = try FlagValue.number(text, 0...1_000_000)
      },
      Flag(
        "ignore-missing-fields", in: errorSection, "Accept records without pid, level, source or name",
        sets: \.run.rules.allowsMissingFields),
      Flag(
        "lenient", in: errorSection, "Read every record as well as it can be read",
        detail:
          "Nothing that a person can read is lost: missing fields are empty, a key may have blanks, a value may have quotes or no end, and a line of no format is kept as it is. This is the default of ndjson, logfmt, pretty, fluentd and otlp, of the journal and with --follow. For csv, json, text, toml, xml and yaml from files the first record that breaks a rule of the existing tool ends the run instead, unless lenient = true is in the file of defaults or KATA_LOG_PARSER_LENIENT is 1."
      ) { (settings, text) throws(UsageError) in settings.run.wantsLenient = text == "true" },
      Flag(
        "strict", "s", in: errorSection, "Apply the strict rules in every format",
        detail:
          "A record that lacks a field or breaks another rule, an unreadable agent record, and a line that matches no format are errors; the first one ends the run.",
        sets: \.run.rules.isStrict),
      Flag(
        "error-if-file-empty", in: errorSection, "Fail if a file is empty",
        sets: \.run.failsOnEmptyFile),
      Flag(
        "error-if-no-records", in: errorSection, "Fail if there are no records to write",
        sets: \.run.failsOnNoRecords),
      Flag(
        "stats", in: errorSection, "Write counts as one line of JSON to standard error at the end",
        detail:
          "Records read, raw, bad, too long, truncated, suppressed, dropped, duplicate, unselected and late; inputs with errors or warnings; gaps in the journal; and what each input line became.",
        sets: \.run.writesStatistics),
    ]
  }

  private static var other: [Flag<Settings>] {
    [
      Flag(
        "threads", nil, .text("N"), in: otherSection, "Number of threads",
        detail:
          "From 1 to 64; the default is 2, or 1 on a machine with one processor. It does not change the output."
      ) { (settings, text) throws(UsageError) in settings.run.threads = try FlagValue.number(text, 1...64) },
      Flag(
        "temp-dir", nil, .directory("DIR"), in: otherSection, "Directory for temporary files",
        detail:
          "Input that is not in order is kept in an unnamed file until it is written. The default is TMPDIR, or /var/tmp."
      ) { (settings, text) throws(UsageError) in settings.run.temporaryDirectory = text },
      Flag(
        "progress", nil, .choice("WHEN", TerminalChoice.allCases.map(\.rawValue)), in: otherSection,
        "Show progress on standard error",
        detail: "auto, the default, shows it on a terminal when a run takes more than a second."
      ) { (settings, text) throws(UsageError) in
        settings.run.progress = TerminalChoice(rawValue: text) ?? .auto
      },
      Flag("quiet", "q", in: otherSection, "Suppress warnings", sets: \.run.isQuiet),
      Flag("debug", in: otherSection, "Write debug messages to standard error", sets: \.run.isDebug),
    ] + CommandRequest.flags(\.request, in: otherSection)
  }
}
