import Glibc
import System

extension LogParserCommand {
  /// Chooses the format where the user did not, and finds out what the format for people must know of a terminal.
  ///
  /// Who looks at a terminal is a person; files, pipes and a checked run keep the format of the existing tool.
  static func lookAtTerminal(_ settings: inout CommandSettings) {
    let terminal = Terminal(STDOUT_FILENO)
    let isTerminal = settings.run.outputFile == nil && terminal.isTerminal
    if !settings.hasFormat, isTerminal, !settings.run.isCheckOnly { settings.run.format = .pretty }
    guard settings.run.format == .pretty else { return }
    settings.run.pretty.isColored =
      settings.run.color == .always || settings.run.color == .auto && isTerminal && terminal.showsColors
    guard isTerminal else { return }
    settings.run.pretty.width = terminal.width ?? 80
    // Output for a terminal depends on the records before: see PrettyHosts.
    settings.run.threads = 1
  }

  /// Starts a pager where one helps: for people, on a terminal that can be moved about on, and not for what never ends.
  static func startPager(_ settings: CommandSettings) -> Pager? {
    let run = settings.run
    guard settings.usesPager, run.pretty.width != nil, run.format == .pretty, !run.follows, !run.isCheckOnly,
      !Terminal(STDOUT_FILENO).isDumb
    else { return nil }
    return Pager.start(variables: ["KATA_LOG_PARSER_PAGER", "PAGER"])
  }
}
