import Glibc

/// The command line tool.
package enum LogParserCommand {
  package static func main(_ arguments: [String]) -> Int32 {
    signal(SIGPIPE, SIG_IGN)
    var options = RunOptions()
    let diagnostics = Diagnostics()
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--check-only": options.isCheckOnly = true
      case "--debug": diagnostics.isDebug = true
      case "--quiet": diagnostics.isQuiet = true
      case "--error-if-file-empty": options.failsOnEmptyFile = true
      case "--error-if-no-records": options.failsOnNoRecords = true
      case "--ignore-missing-fields": options.rules.allowsMissingFields = true
      case "--no-agent-unpack": options.rules.unpacksAgent = false
      case "--strict": options.rules.isStrict = true
      case "--output-file": options.outputFile = rest.popFirst()
      case "--threads": options.threads = rest.popFirst().flatMap { Int($0) } ?? 1
      case "--output-format":
        guard let name = rest.popFirst(), let format = OutputFormat(rawValue: name) else {
          diagnostics.error("unknown output format")
          return 2
        }
        options.format = format
      case "--version":
        print("kata-log-parser \(ProductVersion.number) (commit \(ProductVersion.commit))")
        return 0
      default: options.files.append(argument)
      }
    }
    if options.isCheckOnly { options.outputFile = "/dev/null" }
    return Run(options, diagnostics).perform()
  }
}
