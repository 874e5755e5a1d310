import CommandLine

extension LogParserFlags {
  /// What people see: colours, fields, the pager.
  static var terminal: [Flag<Settings>] {
    let section = "Output for people (pretty)"
    return [
      Flag(
        "color", nil, .choice("WHEN", TerminalChoice.allCases.map(\.rawValue)), in: section,
        "Colour pretty output",
        detail: "auto, the default, colours on a terminal unless NO_COLOR is set or TERM is dumb."
      ) { (settings, text) throws(UsageError) in
        settings.run.color = TerminalChoice(rawValue: text) ?? .auto
      },
      Flag(
        "show", nil, .text("FIELDS"), in: section, repeatable: true, "Show fields that are hidden",
        detail:
          "Names joined by commas: the key of an extra field, or file, line, count, delta; all shows every field. Hidden by default are fields that repeat themselves in every line: \(PrettyFields.quiet.joined(separator: ", ")), and what journald adds. The other formats write all fields."
      ) { (settings, text) throws(UsageError) in settings.run.pretty.shown += try names(text) },
      Flag(
        "hide", nil, .text("FIELDS"), in: section, repeatable: true, "Hide fields",
        detail:
          "Names joined by commas: the key of an extra field, or sandbox, container, pid, delta; all hides every field that --show does not name."
      ) { (settings, text) throws(UsageError) in settings.run.pretty.hidden += try names(text) },
      Flag(
        "full", in: section, "Show long messages and values whole",
        detail:
          "On a terminal the first lines of a message are shown, and how many more there are. Files and pipes always get everything.",
        sets: \.run.pretty.isFull),
      Flag(
        "utc", in: section, "Show times in UTC",
        detail: "The default is this machine's zone, or the one that TZ names.",
        sets: \.run.pretty.isUTC),
      Flag(
        "no-pager", in: section, "Do not start a pager",
        detail:
          "On a terminal, pretty output that does not follow its input is shown by the command in KATA_LOG_PARSER_PAGER, or in PAGER, or else by less, with LESS=FRX unless LESS is set. An empty command or cat means none, as does a TERM that is dumb or not set."
      ) { (settings, text) throws(UsageError) in settings.usesPager = text != "true" },
    ]
  }

  private static func names(_ text: String) throws(UsageError) -> [String] {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
    guard !names.contains("") else { throw UsageError("\"\(text)\" has an empty name") }
    return names
  }
}
