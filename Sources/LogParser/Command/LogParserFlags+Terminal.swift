import CommandLine

extension LogParserFlags {
  /// Options of `pretty`: colours, fields, the pager.
  static var terminal: [Flag<Settings>] {
    let section = "Pretty output"
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
          "Names separated by commas: the key of an extra field, or file, line, count, delta; all shows every field. Hidden by default are fields that repeat from line to line: \(PrettyFields.quiet.joined(separator: ", ")), and what journald adds. Other formats write all fields."
      ) { (settings, text) throws(UsageError) in settings.run.pretty.shown += try names(text) },
      Flag(
        "hide", nil, .text("FIELDS"), in: section, repeatable: true, "Hide fields",
        detail:
          "Names separated by commas: the key of an extra field, or sandbox, container, pid, delta; all hides every field that --show does not name."
      ) { (settings, text) throws(UsageError) in settings.run.pretty.hidden += try names(text) },
      Flag(
        "full", in: section, "Show long messages and values in full",
        detail:
          "On a terminal, only the first lines of a message are shown, with the number of lines left out. Files and pipes always get everything.",
        sets: \.run.pretty.isFull),
      Flag(
        "utc", in: section, "Show times in UTC",
        detail: "The default is TZ, or this machine's zone.",
        sets: \.run.pretty.isUTC),
      Flag(
        "no-pager", in: section, "Do not start a pager",
        detail:
          "On a terminal, pretty output without --follow is shown in a pager: the command in KATA_LOG_PARSER_PAGER or PAGER, or less with LESS=FRX unless LESS is set. An empty command or cat disables it, as does a TERM that is dumb or unset."
      ) { (settings, text) throws(UsageError) in settings.usesPager = text != "true" },
    ]
  }

  private static func names(_ text: String) throws(UsageError) -> [String] {
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
    guard !names.contains("") else { throw UsageError("\"\(text)\" has an empty name") }
    return names
  }
}
