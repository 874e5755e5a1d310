/// What the rules of reading leave to the user.
package struct ReadingRules: Sendable {
  /// The year of an input's first line, for times that have none; nil when it is that of its last writing.
  package var year: Int?
  /// Whether a record without pid, level, source or name is accepted.
  package var allowsMissingFields = false
  /// Whether the agent's own records are taken out of the lines that carry them.
  package var unpacksAgent = true
  /// Whether a line that carries no readable agent record, or no record at all, is an error.
  package var isStrict = false
  /// Whether whatever a person can read becomes a record: what is missing is empty, and a line of no format is kept raw.
  package var isLenient = false
  /// Whether a record that the rules refuse is read as well as it can be, beside the report of what is wrong with it.
  package var keepsBadRecords = false
  /// Whether the journal's own fields are kept beside the record that an entry carries.
  package var keepsJournalFields = false
  /// Whether the lines of loggers without anything of the host around them are records; the existing tool kept them raw.
  var readsLoggers: Bool { isLenient || isStrict }

  package init() {}
}
