import CommandLine
import Glibc
import Logging

extension LogParserFlags {
  private static var section: String { "Selection" }

  /// Which records are written.
  static var selection: [Flag<Settings>] {
    [
      Flag(
        "since", "S", .text("TIME"), in: section, "Select records from this time on",
        detail:
          "In journalctl's syntax: \"2026-01-01 10:00\", yesterday, -1h, \"2 days ago\", @1767261600, or RFC 3339."
      ) { (settings, text) throws(UsageError) in settings.run.selection.since = try FlagValue.time(text) },
      Flag("until", "U", .text("TIME"), in: section, "Select records up to this time") {
        (settings, text) throws(UsageError) in settings.run.selection.until = try FlagValue.time(text)
      },
      Flag(
        "sandbox", nil, .text("ID"), in: section, repeatable: true, "Select records of this sandbox",
        detail: "The first characters of the id are enough."
      ) { (settings, text) throws(UsageError) in
        settings.run.selection.sandboxes.append(try given(text, "sandbox"))
      },
      Flag(
        "pod", nil, .text("POD"), in: section, repeatable: true, "Select records of this pod",
        detail:
          "NAMESPACE/NAME, or NAME in any namespace; the first characters of the name are enough. Lines of containerd, CRI-O and the kubelet say which sandboxes belong to a pod, so read those logs too. From a journal, they are read too, unless --identifier is given."
      ) { (settings, text) throws(UsageError) in
        settings.run.selection.pods.append(.init(try given(text, "pod")))
      },
      Flag(
        "two-passes", in: section, "Read files twice, to attribute records that come early",
        detail:
          "A record can precede the line that names its sandbox, container or pod; the first pass finds that line. For files only. Without this option, such records are only counted.",
        sets: \.run.readsTwice),
      Flag(
        "container", nil, .text("ID"), in: section, repeatable: true, "Select records of this container",
        detail: "The first characters of the id are enough."
      ) { (settings, text) throws(UsageError) in
        settings.run.selection.containers.append(try given(text, "container"))
      },
      Flag(
        "level", nil, .choice("LEVEL", LogLevel.allCases.map(\.name)), in: section,
        "Select records of this level or a more severe one",
        detail:
          "Spellings found in logs are accepted too: warn, err, crit, fatal, panic, notice, emerg and so on.",
        otherSpelling: levelName
      ) { (settings, text) throws(UsageError) in
        settings.run.selection.minimumLevel = LogLevel(option: text)
      },
      Flag(
        "source", nil, .text("NAME"), in: section, repeatable: true, "Select records of this source",
        detail: "Such as virtcontainers, agent or vmconsole."
      ) { (settings, text) throws(UsageError) in
        settings.run.selection.sources.append(try given(text, "source"))
      },
      Flag(
        "match", nil, .text("CONDITION"), in: section, repeatable: true,
        "Select records by the value of a field",
        detail:
          "KEY=VALUE compares the whole value; KEY~REGEX searches it for a POSIX extended regular expression. KEY is msg, level, source, name, pid, sandbox, container or the key of an extra field. Several conditions must all hold. There is no negation. If no record is selected, standard error lists the values that exist, and the exit status is 0."
      ) { (settings, text) throws(UsageError) in settings.run.selection.matches.append(try match(text)) },
    ]
  }

  private static func levelName(_ text: String) -> String? { LogLevel(spelling: text)?.name }

  /// The value, which must not be empty: an empty one, as from an unset variable, would select unwanted records.
  private static func given(_ text: String, _ key: String) throws(UsageError) -> String {
    if trimmed(text).isEmpty {
      throw UsageError("the value is empty; to select records without a \(key), give --match \(key)=")
    }
    return text
  }

  private static func match(_ text: String) throws(UsageError) -> Selection.Match {
    guard let sign = text.firstIndex(where: { $0 == "=" || $0 == "~" }), sign > text.startIndex else {
      throw UsageError("\"\(text)\" is neither KEY=VALUE nor KEY~REGEX")
    }
    let key = String(text[..<sign])
    let value = String(text[text.index(after: sign)...])
    try checkOperator(text, key, text[sign], value)
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

  /// Refuses operators of other tools: here they would be part of the key or the value, and match nothing.
  private static func checkOperator(
    _ text: String, _ key: String, _ sign: Character, _ value: String
  ) throws(UsageError) {
    if let last = key.last, "!<>".contains(last) {
      let remedy =
        last == "!"
        ? "to exclude records, filter the output, such as --output-format ndjson with jq 'select(.\(key.dropLast()) != …)'"
        : "to compare numbers, filter the output, such as --output-format ndjson with jq"
      throw UsageError(
        "\"\(text)\": there is no operator \(last)\(sign), only KEY=VALUE and KEY~REGEX; \(remedy)")
    }
    if trimmed(key) != key {
      throw UsageError("\"\(text)\" has a blank around the key: write \(trimmed(key))\(sign)VALUE")
    }
    if let first = value.first, first == "=" || first == "~" {
      throw UsageError(
        "\"\(text)\": there is no operator \(sign)\(first), only KEY=VALUE and KEY~REGEX; for a value that begins with \(first), give \(key)~\(sign == "=" ? "^" : "")[\(first)]…"
      )
    }
    if sign == "~", value.isEmpty {
      throw UsageError("\"\(text)\": the regular expression is empty, which matches everything")
    }
  }
}

/// The text without the blanks around it.
func trimmed(_ text: some StringProtocol) -> String {
  let start = text.drop { $0.isWhitespace }
  guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
  return String(start[...end])
}
