import Bytes
import Logging

/// The formats that results can be written in.
package enum OutputFormat: String, CaseIterable, Sendable {
  case csv, json, logfmt, ndjson, pretty, text, toml, xml, yaml

  /// Whether each record stands for itself, so that it can be written the moment it is read.
  package var isStreaming: Bool { self == .logfmt || self == .ndjson || self == .pretty }
}

/// The shapes that an input can have; see `formats/`.
package enum InputFormat: String, CaseIterable, Sendable {
  /// Found out record by record.
  case auto
  case logfmt, json, export, syslog, journalctl, cri, docker, console
}

/// When to do what only a terminal is good for.
package enum TerminalChoice: String, CaseIterable, Sendable {
  case auto, always, never
}

/// Which records are wanted. A record must pass each kind of condition that was given; of several conditions of the
/// kinds that name values, one must hold.
package struct Selection: Sendable {
  /// What a field must be.
  package struct Match: Sendable {
    package enum Pattern: Sendable {
      case equals(String)
      /// A POSIX extended regular expression that occurs in the value.
      case matches(String)
    }
    /// `msg`, `level`, `pid`, … or the key of an extra field.
    package var key: String
    package var pattern: Pattern

    package init(key: String, pattern: Pattern) {
      self.key = key
      self.pattern = pattern
    }
  }

  package var sandboxes: [String] = []
  package var containers: [String] = []
  package var sources: [String] = []
  package var minimumLevel: LogLevel?
  package var matches: [Match] = []
  package var since: Timestamp?
  package var until: Timestamp?

  package init() {}

  /// Whether every record is wanted.
  package var isEverything: Bool {
    sandboxes.isEmpty && containers.isEmpty && sources.isEmpty && minimumLevel == nil && matches.isEmpty
      && since == nil && until == nil
  }
}

/// Which journal to read, and which of its entries.
package struct JournalOptions: Sendable {
  package enum Location: Sendable, Equatable {
    /// This machine's journal.
    case local
    /// The journals of all machines that this machine keeps, merged.
    case merged
    case files([String])
    case directory(String)
  }

  package var location = Location.local
  /// `SYSLOG_IDENTIFIER`s; none means all.
  package var identifiers = ["kata"]
  /// Units, with or without their suffix; none means all.
  package var units: [String] = []
  /// A boot as journalctl names it (`0`, `-1`, an id), or nil for all.
  package var boot: String?
  /// The number of newest entries to begin with, or nil for all.
  package var lines: Int?
  /// Where the cursor of the last record that was written out is kept.
  package var cursorFile: String?

  package init() {}
}

/// What a run does, once the command line has been understood.
package struct RunOptions: Sendable {
  /// Paths as given, or `-` for standard input.
  package var files: [String] = []
  package var journal: JournalOptions?
  /// Whether to wait for more when the end of the input is reached.
  package var follows = false
  package var inputFormat = InputFormat.auto
  package var format = OutputFormat.text
  /// Columns or members to write, in order; none means the format's own.
  package var fields: [String] = []
  package var rules = ReadingRules()
  package var selection = Selection()
  package var isCheckOnly = false
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
  /// The longest record in bytes.
  package var recordLimit = 1 << 20
  /// How far, in nanoseconds, a record may come behind a later one for its input to be written as it is read.
  package var reorderWindow: Int64?
  package var threads = 1
  /// Where temporary files are made.
  package var temporaryDirectory = "/var/tmp"
  package var color = TerminalChoice.auto
  package var progress = TerminalChoice.auto

  package init() {}

  /// Whether an input that cannot be read, or not to its end, leaves the others to be read. The formats that are one
  /// document end the run instead, as the log format's original tool does, unless told to keep going.
  var toleratesBadInputs: Bool { !follows && (keepsGoing || format.isStreaming) }
}
