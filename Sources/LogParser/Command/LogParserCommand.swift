import CommandLine
import Glibc
import Logging

/// The command line of `kata-log-parser`.
package enum LogParserCommand {
  /// Runs the command with these arguments (without the program's name), and returns the exit status.
  package static func main(_ arguments: [String]) -> Int32 {
    // A closed pipe must not kill the process: the write reports it.
    signal(SIGPIPE, SIG_IGN)
    unblockStopSignals()
    var settings = CommandSettings()
    settings.run.threads = min(2, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    if let directory = environment("TMPDIR"), !directory.isEmpty {
      settings.run.temporaryDirectory = directory
    }
    do throws(UsageError) {
      // The one letter that has no long name of its own.
      if arguments.contains("-h") { settings.request = .shortHelp }
      if let zone = try TimeZoneName.chosen(in: arguments) { TimeZoneName.use(zone) }
      settings.run.files = try CommandLineParser(LogParserFlags.all).parse(
        arguments.filter { $0 != "-h" }, into: &settings)
      if let request = settings.request { return description.answer(request) }
      lookAtTerminal(&settings)
      takeJournalFiles(&settings)
      try validate(&settings)
      if settings.run.wantsLenient == nil, !settings.run.rules.isStrict {
        settings.run.wantsLenient = try Defaults.read(environment).isLenient == true ? true : nil
      }
      settings.run.chooseReading()
    } catch {
      let diagnostics = Diagnostics("kata-log-parser")
      diagnostics.error(error.message)
      diagnostics.line("Try kata-log-parser --help.")
      return 2
    }
    let diagnostics = Diagnostics("kata-log-parser")
    diagnostics.isQuiet = settings.run.isQuiet
    diagnostics.isDebug = settings.run.isDebug
    let pager = startPager(settings)
    let status = Run(settings.run, diagnostics).perform()
    pager?.finish()
    return status
  }

  /// Unblocks the stop signals. A parent that blocks signals passes the mask on to its children, which could then not
  /// be stopped while they wait for a reader.
  private static func unblockStopSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    _ = pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Journal files given as operands are read as with `--journal-file`. Among other inputs, the journal options apply
  /// only to them.
  private static func takeJournalFiles(_ settings: inout CommandSettings) {
    let files = settings.run.files
    if settings.usesJournal || files.isEmpty { return }
    if files.allSatisfy(InputPath.isJournalFile) {
      settings.usesJournal = true
      settings.journal.location = .files(files)
      settings.run.files = []
    } else if settings.journal.cursorFile == nil, files.contains(where: InputPath.mayHoldJournal) {
      settings.run.journalFilter = settings.journal
      settings.usesJournalOption = nil
      settings.run.journal = nil
    }
  }

  private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// Refuses options that contradict each other.
  private static func validate(_ settings: inout CommandSettings) throws(UsageError) {
    let run = settings.run
    if !settings.usesJournal, let option = settings.usesJournalOption {
      throw UsageError(
        "\(option) applies to a journal: give --journal, --journal-file or --journal-directory as well")
    }
    if settings.usesJournal, !run.files.isEmpty {
      throw UsageError("the journal and files cannot be read in one run: \(run.files[0])")
    }
    if !run.fields.isEmpty, run.format != .csv, run.format != .ndjson {
      throw UsageError("--fields is for --output-format csv and ndjson, not for \(run.format.rawValue)")
    }
    if let since = run.selection.since, let until = run.selection.until, until < since {
      throw UsageError("--since is later than --until, so no record can match; swap them")
    }
    if run.rules.isStrict, run.wantsLenient == true {
      throw UsageError("--lenient and --strict contradict each other; give one of them")
    }
    try validateOwners(&settings)
    guard run.follows else { return }
    if !run.format.isStreaming {
      throw UsageError(
        "--follow needs a format that is written record by record: give --output-format ndjson, logfmt or pretty"
      )
    }
    if !settings.usesJournal, run.files.isEmpty {
      throw UsageError("--follow needs --journal, files or -")
    }
    if run.files.count > 1, run.files.contains("-") {
      throw UsageError(
        "--follow cannot combine standard input with files: name standard input alone, or only files")
    }
    if run.readsRotated {
      throw UsageError(
        "--follow and --rotated exclude each other: rotated files no longer grow; leave out --rotated")
    }
    if run.isCheckOnly {
      throw UsageError("--check-only needs an end of input, and --follow has none: leave one of them out")
    }
  }

  private static func validateOwners(_ settings: inout CommandSettings) throws(UsageError) {
    if settings.run.readsTwice,
      settings.usesJournal || settings.run.follows || settings.run.files.contains("-")
    {
      throw UsageError("--two-passes reads each input twice, which only files allow: name files")
    }
    if settings.run.explainedLine != nil, settings.usesJournal || settings.run.follows {
      throw UsageError("--explain needs a line of a file: name files")
    }
    if settings.run.summarizes {
      if settings.run.follows {
        throw UsageError(
          "--summary is written at the end of input, and --follow has none: leave one of them out")
      }
      guard [.text, .pretty, .json, .ndjson].contains(settings.run.format) else {
        throw UsageError(
          "--summary is a table, or JSON with --output-format json or ndjson, not \(settings.run.format.rawValue)"
        )
      }
    }
    // Lines of the container runtimes say which sandboxes belong to a pod.
    if !settings.run.selection.pods.isEmpty, settings.usesJournal,
      settings.usesJournalOption != "--identifier"
    {
      settings.run.journal?.identifiers += ["containerd", "crio", "kubelet"]
    }
  }

  static var description: CommandDescription<CommandSettings> {
    CommandDescription(
      name: "kata-log-parser", summary: "read the logs of Kata Containers and write them sorted by time",
      usages: ["[OPTION...] FILE...", "[OPTION...] --journal"],
      description: [
        "kata-log-parser reads the logs of a node that runs Kata Containers, from files, pipes and the journal. It unpacks the guest agent's records from the lines that carry them, sorts all records by time, and writes them in one format.",
        "Files can have any log format found on such a node; - is standard input. The format of each record is detected. Each record is read as well as it can be, and a line that matches no format is kept as it is. The exception is csv, json, text, toml, xml and yaml from files without --lenient: there, a file in the runtime's own logfmt must follow the rules of the Go tool that this tool replaces, and the first record that breaks one ends the run.",
        "Results go to standard output, everything else to standard error.",
      ],
      flags: LogParserFlags.all,
      examples: [
        .init(
          "Merge two logs into a readable timeline", "kata-log-parser shim.log console.log"
        ),
        .init(
          "Read the journal of one sandbox, as JSON",
          "kata-log-parser --journal --sandbox 3f2a --output-format json"),
        .init(
          "Print errors as they happen",
          "kata-log-parser --journal -f --level error --output-format ndjson | jq .msg"),
        .init("Check every record", "kata-log-parser --check-only --keep-going *.log"),
      ],
      exitCodes: [
        (0, "Everything was read and written, or the reader of the output closed it."),
        (
          1, "An input, a record or the output was bad; standard output may be incomplete."
        ),
        (2, "The command line was wrong; nothing was read."),
      ],
      files: [
        (
          "/var/log/journal, /run/log/journal",
          "The journal. Reading it requires root or membership in the group systemd-journal."
        ),
        (
          "/etc/kata-log-parser.conf, $XDG_CONFIG_HOME/kata-log-parser.conf (or ~/.config/kata-log-parser.conf)",
          "Defaults; the user's file overrides the machine's. Lines are KEY = VALUE, and comments follow a #. The only key is lenient, true or false: whether csv, json, text, toml, xml and yaml from files are read as with --lenient. KATA_LOG_PARSER_LENIENT=1 or =0 in the environment overrides both files, and the command line overrides everything."
        ),
      ],
      seeAlso: ["journalctl(1)", "systemd.time(7)", "jq(1)"])
  }
}
