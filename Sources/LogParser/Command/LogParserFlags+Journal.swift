import CommandLine

extension LogParserFlags {
  private static var section: String { "Journal" }

  private static func namesBoot(_ text: String) -> Bool { BootName(text) != nil }

  /// Which journal is read, and which of its entries.
  static var journal: [Flag<Settings>] {
    [
      Flag(
        "journal", in: section, "Read this machine's journal",
        detail: "In place, through libsystemd; the entries of --identifier kata unless told otherwise."
      ) { (settings, text) throws(UsageError) in
        guard text == "true" else { return }
        settings.usesJournal = true
        settings.journal.location = .local
      },
      Flag(
        "journal-file", nil, .file("FILE"), in: section, repeatable: true, "Read a journal file",
        detail:
          "Several files are read as one journal, merged by time. Each is looked through for damage first; of a damaged one everything that can be read is, what is missing is reported, and the exit status is 1."
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
        detail: "Such as /var/log/journal/ID of another machine's disk; its files are merged by time."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournal = true
        settings.journal.location = .directory(text)
      },
      Flag(
        "machine-journal", nil, .choice("WHICH", ["local", "merge"]), in: section,
        "Read this machine's journal, or those of all machines it keeps",
        detail: "merge interleaves the journals that were received from other machines by time."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournal = true
        settings.journal.location = text == "merge" ? .merged : .local
      },
      Flag(
        "identifier", "t", .text("ID"), in: section, repeatable: true,
        "Take the entries of this syslog identifier",
        detail: "The default is kata, the runtime's; an empty one takes all entries."
      ) { (settings, text) throws(UsageError) in
        if settings.usesJournalOption != "--identifier" { settings.journal.identifiers = [] }
        settings.usesJournalOption = "--identifier"
        if !text.isEmpty { settings.journal.identifiers.append(text) }
      },
      Flag(
        "unit", "u", .text("UNIT"), in: section, repeatable: true, "Take the entries of this systemd unit",
        detail: "Such as containerd; .service may be left out. The identifier must match as well: see -t."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--unit"
        settings.journal.units.append(text)
      },
      Flag(
        "boot", "b", .optional("BOOT", default: "0"), in: section, "Take the entries of one boot",
        detail:
          "As journalctl names it: 0 or nothing for the newest, -1 for the one before, 1 for the oldest, a boot's id, an id with an offset such as ID-1, or all for every boot.",
        takesNext: namesBoot
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--boot"
        guard let boot = BootName(text.isEmpty ? "0" : text) else {
          throw UsageError("\"\(text)\" names no boot: give 0, -1, 1, a boot's id, ID-1 or all")
        }
        settings.journal.boot = boot == .all ? nil : text.isEmpty ? "0" : text
      },
      Flag(
        "lines", "n", .text("N"), in: section, "Begin with the newest N records that are selected",
        detail:
          "Of those that --level, --match, --since and the other options select, the newest N are written; with --follow, all later ones as well. The journal is read backwards for them; memory does not depend on N."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--lines"
        settings.journal.lines = try FlagValue.number(text, 0...1_000_000_000)
      },
      Flag(
        "cursor-file", nil, .file("FILE"), in: section, "Resume after the last entry that was written",
        detail:
          "The file is read at the start, where it exists, and replaced once the records up to its place are where they belong: on disk, or taken by the reader of the pipe. At its end the run waits for as long as that reader lives and has not read everything; if it closes early, the file stays as it was. With --follow the reader must also live for another second. A run that is killed loses nothing and repeats at most the records that it had not yet noted here."
      ) { (settings, text) throws(UsageError) in
        settings.usesJournalOption = settings.usesJournalOption ?? "--cursor-file"
        settings.journal.cursorFile = text
      },
    ]
  }
}
