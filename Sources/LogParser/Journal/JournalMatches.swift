import CSystemd
import Glibc

/// Which entries of a journal are wanted, in libsystemd's terms: groups of alternatives, one of each of which must hold.
enum JournalMatches {
  static func add(
    _ options: JournalOptions, to journal: OpaquePointer, _ subject: String
  ) throws(JournalError) {
    if !options.identifiers.isEmpty {
      for identifier in options.identifiers { try add("SYSLOG_IDENTIFIER=\(identifier)", journal, subject) }
      // journald's own reports of what it suppressed come under its own name.
      try addLossReports(journal, subject)
      sd_journal_add_conjunction(journal)
    }
    if !options.units.isEmpty {
      for unit in options.units { try addUnit(unit, journal, subject) }
      try addLossReports(journal, subject)
      sd_journal_add_conjunction(journal)
    }
    if let boot = options.boot {
      try add("_BOOT_ID=\(try JournalBoots.id(boot, in: options, subject))", journal, subject)
    }
  }

  private static func addLossReports(_ journal: OpaquePointer, _ subject: String) throws(JournalError) {
    sd_journal_add_disjunction(journal)
    try add("MESSAGE_ID=\(JournalReader.lossReport)", journal, subject)
  }

  private static func add(
    _ match: String, _ journal: OpaquePointer, _ subject: String
  ) throws(JournalError) {
    let code = sd_journal_add_match(journal, match, match.utf8.count)
    guard code >= 0 else { throw JournalError(subject, "the condition \(match)", code: code) }
  }

  /// What a unit's own processes say, and what systemd says about it.
  private static func addUnit(
    _ name: String, _ journal: OpaquePointer, _ subject: String
  ) throws(JournalError) {
    let suffixes = [
      ".service", ".scope", ".slice", ".socket", ".mount", ".timer", ".target", ".path", ".device", ".swap",
      ".automount",
    ]
    let unit = suffixes.contains { name.hasSuffix($0) } ? name : name + ".service"
    try add("_SYSTEMD_UNIT=\(unit)", journal, subject)
    sd_journal_add_disjunction(journal)
    try add("_PID=1", journal, subject)
    try add("UNIT=\(unit)", journal, subject)
    sd_journal_add_disjunction(journal)
    try add("_UID=0", journal, subject)
    try add("OBJECT_SYSTEMD_UNIT=\(unit)", journal, subject)
    sd_journal_add_disjunction(journal)
  }
}
