import Glibc

/// Which entries of a journal are wanted, in libsystemd's terms: groups of alternatives, one of each of which must hold.
struct JournalMatches {
  private let systemd: Systemd
  private let journal: OpaquePointer
  private let subject: String

  init(_ systemd: Systemd, _ journal: OpaquePointer, _ subject: String) {
    self.systemd = systemd
    self.journal = journal
    self.subject = subject
  }

  func add(_ options: JournalOptions) throws(JournalError) {
    if !options.identifiers.isEmpty {
      for identifier in options.identifiers { try add("SYSLOG_IDENTIFIER=\(identifier)") }
      // journald's own reports of what it suppressed come under its own name.
      try addLossReports()
      _ = systemd.addConjunction(journal)
    }
    if !options.units.isEmpty {
      for unit in options.units { try addUnit(unit) }
      try addLossReports()
      _ = systemd.addConjunction(journal)
    }
    if let boot = options.boot { try add("_BOOT_ID=\(try JournalBoots.id(boot, in: options, subject))") }
  }

  private func addLossReports() throws(JournalError) {
    _ = systemd.addDisjunction(journal)
    try add("MESSAGE_ID=\(JournalReader.lossReport)")
  }

  private func add(_ match: String) throws(JournalError) {
    let code = systemd.addMatch(journal, match, match.utf8.count)
    guard code >= 0 else { throw JournalError(subject, "the condition \(match)", code: code) }
  }

  private static let suffixes = [
    ".service", ".scope", ".slice", ".socket", ".mount", ".timer", ".target", ".path", ".device", ".swap",
    ".automount",
  ]

  /// What a unit's own processes say, and what systemd says about it.
  private func addUnit(_ name: String) throws(JournalError) {
    let unit = Self.suffixes.contains { name.hasSuffix($0) } ? name : name + ".service"
    try add("_SYSTEMD_UNIT=\(unit)")
    _ = systemd.addDisjunction(journal)
    try add("_PID=1")
    try add("UNIT=\(unit)")
    _ = systemd.addDisjunction(journal)
    try add("_UID=0")
    try add("OBJECT_SYSTEMD_UNIT=\(unit)")
    _ = systemd.addDisjunction(journal)
  }
}
