import CommandLine

extension LogParserFlags {
  private static var section: String { "Journal" }

  private static func namesBoot(_ text: String) -> Bool { BootName(text) != nil }

  /// Which journal is read, and which of its entries.
  static var journal: [Flag<Settings>] {
    [
      Flag(
        "journal", in: section, "Read this machine's journal",
        detail: "In place, through libsystemd; by default only the entries with identifier kata."
      ) { (settings, text) throws(UsageError) in
        guard text == "true" else { return }
        settings.usesJournal = true
        settings.journal.location = .local
      },
      Flag(
        "journal-file", nil, .file("FILE"), in: section, repeatable: true, "Read a journal file",
        detail:
          "Several files are read as one journal, merged by time. Each is checked for damage first; a damaged one is read as far as possible, what is missing is reported, and the exit status is 1."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournal = true
        if case .files(let files) = settings.journal.location {
          settings.journal.location = .files(files + [text])
        } else {
          settings.journal.location = .files([text])
        }
      },
      Flag(
        "journal-directory", nil, .directory("DIR"), in: section, "Read the journal files of a directory",
        detail: "Such as /var/log/journal/ID on another machine's disk; its files are merged by time."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournal = true
        settings.journal.location = .directory(text)
      },
      Flag(
        "machine-journal", nil, .choice("WHICH", ["local", "merge"]), in: section,
        "Read only this machine's journal, or also those received from others",
        detail:
          "local, the default, is this machine's own. merge also reads the journals received from other machines, interleaved by time."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournal = true
        settings.journal.location = text == "merge" ? .merged : .local
      },
      Flag(
        "identifier", "t", .text("ID"), in: section, repeatable: true,
        "Select entries with this syslog identifier",
        detail: "The default is kata, the runtime's; an empty one selects all entries."
      ) { (settings, text) throws(UsageError) in
        if settings.usesJournalOption != "--identifier" { settings.journal.identifiers = [] }
        settings.usesJournalOption = "--identifier"
        if !text.isEmpty { settings.journal.identifiers.append(text) }
      },
      Flag(
        "unit", "u", .text("UNIT"), in: section, repeatable: true, "Select entries of this systemd unit",
        detail: "Such as containerd; .service may be omitted. The identifier must match too: see -t."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--unit"
        settings.journal.units.append(text)
      },
      Flag(
        "boot", "b", .optional("BOOT", default: "0"), in: section, "Select entries of one boot",
        detail:
          "Named as in journalctl: 0 or no value for the newest, -1 for the one before, 1 for the oldest, a boot's id, an id with an offset such as ID-1, or all for every boot.",
        takesNext: namesBoot
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--boot"
        guard let boot = BootName(text.isEmpty ? "0" : text) else {
          throw UsageError("\"\(text)\" is not a boot: give 0, -1, 1, a boot's id, ID-1 or all")
        }
        settings.journal.boot = boot == .all ? nil : text.isEmpty ? "0" : text
      },
      Flag(
        "lines", "n", .text("N"), in: section, "Start with the newest N selected records",
        detail:
          "Of the records that --level, --match, --since and the other options select, the newest N are written; with --follow, all later ones too. The journal is read backwards to find them; memory use does not depend on N."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--lines"
        settings.journal.lines = try FlagValue.number(text, 0...1_000_000_000)
      },
      Flag(
        "cursor-file", nil, .file("FILE"), in: section, "Resume after the last entry that was written",
        detail:
          "The file is read at the start, if it exists. It is replaced only after the records up to the new position are on disk, or were read from the pipe. At the end, the run waits while the reader of the pipe is alive and has not read everything; if the reader closes early, the file is unchanged. With --follow, the reader must also stay alive for another second. After a kill, nothing is lost, and at most the records since the last saved position are written again."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--cursor-file"
        settings.journal.cursorFile = text
      },
    ]
  }
}
