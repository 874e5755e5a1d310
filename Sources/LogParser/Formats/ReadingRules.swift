/// Options for reading records.
package struct ReadingRules: Sendable {
  /// The year of an input's first line, for times without one; nil for that of the input's last change.
  package var year: Int?
  /// Whether the user named the zone of times that name none.
  package var knowsZone = false
  /// Whether a record without pid, level, source or name is accepted.
  package var allowsMissingFields = false
  /// Whether the agent's records are unpacked from the lines that carry them.
  package var unpacksAgent = true
  /// Whether an unreadable agent record, or a line that matches no format, is an error.
  package var isStrict = false
  /// Whether every readable line becomes a record: missing fields are empty, and a line that matches no format is kept
  /// raw.
  package var isLenient = false
  /// Whether a record that the rules refuse is read as well as it can be, in addition to being reported.
  package var keepsBadRecords = false
  /// Whether lines of loggers without a prefix of the host are records; the Go tool kept them raw.
  var readsLoggers: Bool { isLenient || isStrict }

  package init() {}
}
