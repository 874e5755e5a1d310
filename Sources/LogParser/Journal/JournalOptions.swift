/// Which journal to read, and which of its entries.
package struct JournalOptions: Sendable {
  package enum Location: Sendable, Equatable {
    /// This machine's journal.
    case local
    /// The journals of all machines that are stored on this machine, merged.
    case merged
    case files([String])
    case directory(String)
  }

  package var location = Location.local
  /// `SYSLOG_IDENTIFIER`s; none means all.
  package var identifiers = ["kata"]
  /// Units, with or without their suffix; none means all.
  package var units: [String] = []
  /// A boot as journalctl names it (`0`, `-1`, an id), or nil for all.
  package var boot: String?
  /// The number of newest records to start with, or nil for all.
  package var lines: Int?
  /// The file with the cursor of the last written record.
  package var cursorFile: String?

  package init() {}
}
