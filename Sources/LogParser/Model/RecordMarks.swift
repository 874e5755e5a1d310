/// Facts about a record that the run's statistics count.
package struct RecordMarks: OptionSet, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

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
  /// The year is not in the line; it was inferred.
  package static let yearIsInferred = RecordMarks(rawValue: 32)
}
