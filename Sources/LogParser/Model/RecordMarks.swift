/// Facts about a record that the run's statistics count.
package struct RecordMarks: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  /// No format claimed the record: its line is the message.
  package static let isRaw = RecordMarks(rawValue: 1)
  /// The agent's own record could not be taken out of it.
  package static let unpackFailed = RecordMarks(rawValue: 2)
  /// The time was taken from a neighbour.
  package static let timeIsInherited = RecordMarks(rawValue: 4)
  /// A line that was cut where a size limit or another writer ended it.
  package static let isTruncated = RecordMarks(rawValue: 8)
  /// The level was taken from what the message is, such as the head of a panic.
  package static let levelIsInferred = RecordMarks(rawValue: 16)
  /// The time has a year that its line does not say.
  package static let yearIsInferred = RecordMarks(rawValue: 32)
  /// The first extra field holds those of the journal entry: see ``JournalFields``.
  package static let hasJournalFields = RecordMarks(rawValue: 64)
}
