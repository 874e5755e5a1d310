/// The conditions on journal entries that follow from the options.
struct JournalMatches {
  private static let lossReport = ["MESSAGE_ID=\(JournalReader.lossReport)"]

  /// The options' conditions.
  static func conditions(
    _ options: JournalOptions, _ subject: String
  ) throws(JournalError) -> JournalConditions {
    var conditions = JournalConditions()
    // journald reports suppressed messages under its own name.
    if !options.identifiers.isEmpty {
      conditions.add(options.identifiers.map { ["SYSLOG_IDENTIFIER=\($0)"] } + [lossReport])
    }
    if !options.units.isEmpty { conditions.add(options.units.flatMap(alternatives) + [lossReport]) }
    if let boot = options.boot {
      conditions.add([["_BOOT_ID=\(try JournalBoots.id(boot, in: options, subject))"]])
    }
    return conditions
  }

  /// Adds conditions to a journal, in libsystemd's terms.
  static func add(
    _ conditions: JournalConditions, to journal: borrowing Systemd, _ subject: String
  ) throws(JournalError) {
    for group in conditions.groups {
      for alternative in group {
        for match in alternative {
          let code = journal.addMatch(match)
          guard code >= 0 else { throw JournalError(subject, "the condition \(match)", code: code) }
        }
        journal.endAlternative()
      }
      journal.endGroup()
    }
  }

  private static let suffixes = [
    ".service", ".scope", ".slice", ".socket", ".mount", ".timer", ".target", ".path", ".device", ".swap",
    ".automount",
  ]

  /// The messages of a unit's own processes, and systemd's messages about it.
  private static func alternatives(_ name: String) -> [[String]] {
    let unit = suffixes.contains { name.hasSuffix($0) } ? name : name + ".service"
    return [
      ["_SYSTEMD_UNIT=\(unit)"], ["_PID=1", "UNIT=\(unit)"], ["_UID=0", "OBJECT_SYSTEMD_UNIT=\(unit)"],
    ]
  }
}
