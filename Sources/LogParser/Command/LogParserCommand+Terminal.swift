import Glibc
import System

extension LogParserCommand {
  /// Chooses the format if the user did not, and collects what `pretty` needs to know about a terminal.
  ///
  /// A terminal means that a person reads the output; files, pipes and checked runs keep the Go tool's default.
  static func lookAtTerminal(_ settings: inout CommandSettings) {
    let terminal = Terminal(STDOUT_FILENO)
    let isTerminal = settings.run.outputFile == nil && terminal.isTerminal
    if !settings.hasFormat, isTerminal, !settings.run.isCheckOnly { settings.run.format = .pretty }
    guard settings.run.format == .pretty else { return }
    settings.run.pretty.isColored =
      settings.run.color == .always || settings.run.color == .auto && isTerminal && terminal.showsColors
    guard isTerminal else { return }
    settings.run.pretty.width = terminal.width ?? 80
    // Output for a terminal depends on earlier records: see PrettyHosts.
    settings.run.threads = 1
  }

  /// Starts a pager if it is useful: for pretty output on a terminal that can scroll, and not with `--follow`.
  static func startPager(_ settings: CommandSettings) -> Pager? {
    let run = settings.run
    guard settings.usesPager, run.pretty.width != nil, run.format == .pretty, !run.follows, !run.isCheckOnly,
      !Terminal(STDOUT_FILENO).isDumb
    else { return nil }
    return Pager.start(variables: ["KATA_LOG_PARSER_PAGER", "PAGER"])
  }
}
