/// Explains why a run found no journal entry.
enum JournalExplanation {
  /// What was requested, and the existing identifiers if none of the requested ones exists.
  static func text(_ options: JournalOptions, _ selection: Selection) -> String {
    var asked = options.identifiers.map { "--identifier \($0)" } + options.units.map { "--unit \($0)" }
    if let boot = options.boot { asked.append("--boot=\(boot)") }
    if let since = selection.since { asked.append("--since \(since.rfc3339)") }
    if let until = selection.until { asked.append("--until \(until.rfc3339)") }
    if asked.isEmpty { return "the journal has no entry" }
    return "no journal entry matched \(asked.joined(separator: ", "))\(identifiers(options))"
  }

  private static func identifiers(_ options: JournalOptions) -> String {
    var plain = JournalOptions()
    plain.location = options.location
    plain.identifiers = []
    guard !options.identifiers.isEmpty, let reader = try? JournalReader.open(plain) else { return "" }
    let values = reader.uniqueValues(of: "SYSLOG_IDENTIFIER")
    if values.contains(where: options.identifiers.contains) { return "" }
    return "; found " + DistinctValues.list(values.sorted(), count: values.count, "identifier", "identifiers")
  }
}
