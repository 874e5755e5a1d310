import CommandLine
import Glibc

extension LogParserFlags {
  private static var section: String { "Selection" }

  /// Which records are written.
  static var selection: [Flag<Settings>] {
    [
      Flag(
        "since", "S", .text("TIME"), in: section, "Take records from this time on",
        detail:
          "As journalctl reads it: \"2026-01-01 10:00\", yesterday, -1h, \"2 days ago\", @1767261600, or RFC 3339."
      ) { (settings, text) throws(UsageError) in settings.run.selection.since = try FlagValue.time(text) },
      Flag("until", "U", .text("TIME"), in: section, "Take records up to this time") {
        (settings, text) throws(UsageError) in settings.run.selection.until = try FlagValue.time(text)
      },
      Flag(
        "sandbox", nil, .text("ID"), in: section, repeatable: true, "Take the records of this sandbox",
        detail: "The first characters of the id are enough."
      ) { (settings, text) throws(UsageError) in settings.run.selection.sandboxes.append(text) },
      Flag(
        "container", nil, .text("ID"), in: section, repeatable: true, "Take the records of this container",
        detail: "The first characters of the id are enough."
      ) { (settings, text) throws(UsageError) in settings.run.selection.containers.append(text) },
      Flag(
        "level", nil, .choice("LEVEL", Level.allCases.map(\.name)), in: section,
        "Take the records of this level or a more severe one"
      ) { (settings, text) throws(UsageError) in
        settings.run.selection.minimumLevel = Level.allCases.first { $0.name == text }
      },
      Flag(
        "source", nil, .text("NAME"), in: section, repeatable: true, "Take the records of this source",
        detail: "Such as virtcontainers, agent or vmconsole."
      ) { (settings, text) throws(UsageError) in settings.run.selection.sources.append(text) },
      Flag(
        "match", nil, .text("CONDITION"), in: section, repeatable: true,
        "Take the records whose field is, or contains, this",
        detail:
          "KEY=VALUE compares the whole value; KEY~REGEX looks for a POSIX extended regular expression in it. KEY is msg, level, source, name, pid, sandbox, container or the key of an extra field. Several conditions must all hold."
      ) { (settings, text) throws(UsageError) in settings.run.selection.matches.append(try match(text)) },
    ]
  }

  private static func match(_ text: String) throws(UsageError) -> Selection.Match {
    guard let sign = text.firstIndex(where: { $0 == "=" || $0 == "~" }), sign > text.startIndex else {
      throw UsageError("\"\(text)\" is neither KEY=VALUE nor KEY~REGEX")
    }
    let key = String(text[..<sign])
    let value = String(text[text.index(after: sign)...])
    if text[sign] == "=" { return Selection.Match(key: key, pattern: .equals(value)) }
    var expression = regex_t()
    let code = regcomp(&expression, value, REG_EXTENDED | REG_NOSUB)
    guard code == 0 else {
      throw UsageError(
        "the regular expression \"\(value)\" is invalid: \(RegularExpression.reason(code, &expression))")
    }
    regfree(&expression)
    return Selection.Match(key: key, pattern: .matches(value))
  }
}
