import Bytes

/// Facts about a record that the run's statistics count, and what was inferred of it.
package struct RecordMarks: OptionSet, Sendable {
  package let rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The line matches no format; it is the message.
  package static let isRaw = RecordMarks(rawValue: 1)
  /// The agent's record in it could not be unpacked.
  package static let unpackFailed = RecordMarks(rawValue: 2)
  /// The time was taken from a neighbouring record.
  package static let timeIsInherited = RecordMarks(rawValue: 4)
  /// The line was cut off by a size limit or by another writer.
  package static let isTruncated = RecordMarks(rawValue: 8)
  /// The level was inferred from the kind of message, such as the start of a panic.
  package static let levelIsInferred = RecordMarks(rawValue: 16)
  /// The time has a year that its line does not say.
  package static let yearIsInferred = RecordMarks(inferred: .year)
  /// The time is that of this machine's zone, as its line names none.
  package static let zoneIsInferred = RecordMarks(inferred: .zone)
  /// The time is in an hour that clocks show twice, and the order of the lines decided which it is.
  package static let hourIsInferred = RecordMarks(inferred: .hour)
  /// The line says how long ago the time was, which was counted back from when its file was last written.
  package static let timeIsCountedBack = RecordMarks(inferred: .age)

  /// What a record's own text does not say, of what the record itself has.
  static var inferred: RecordMarks { RecordMarks(inferred: .all).union(.levelIsInferred) }

  /// What was inferred of a time: its bits stand above the other marks.
  @inline(__always)
  package init(inferred: Timestamp.Inferred) { rawValue = UInt16(inferred.rawValue) << 5 }

  /// The first extra field holds those of the journal entry: see ``JournalFields``.
  package static let hasJournalFields = RecordMarks(rawValue: 1 << 15)
}
