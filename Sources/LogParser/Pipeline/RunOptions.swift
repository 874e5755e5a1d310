/// The formats that results can be written in.
package enum OutputFormat: String, CaseIterable, Sendable {
  case csv, json, text, toml, xml, yaml
}

/// What a run does, once the command line has been understood.
package struct RunOptions: Sendable {
  /// Paths as given, or `-` for standard input.
  package var files: [String] = []
  package var format = OutputFormat.text
  package var rules = ReadingRules()
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
  package var drops = false
  /// The longest record in bytes.
  package var recordLimit = 1 << 20
  package var threads = 1
  /// Where temporary files are made.
  package var temporaryDirectory = "/var/tmp"

  package init() {}
}
