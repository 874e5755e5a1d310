import Bytes

/// The requirements on every record of any format.
enum RecordCheck {
  /// Throws the first missing field or invalid value.
  @inline(__always)
  static func check(_ record: borrowing Record, allowsMissingFields: Bool) throws(RecordProblem) {
    if record.time.isUnset {
      throw RecordProblem("the time is missing", remedy: "a record must have a time= field")
    }
    if !allowsMissingFields {
      if record.pid == 0 { throw missing("pid") }
      if record.level.isEmpty { throw missing("level") }
      if record.source.isEmpty { throw missing("source") }
      if record.name.isEmpty { throw missing("name") }
    }
    if record.pid < 0 { throw RecordProblem("the pid \(record.pid) is negative") }
    try checkWord(record.level, "level")
    try checkWord(record.source, "source")
    try checkWord(record.name, "name")
  }

  /// Whether the record has all fields that a logfmt line must have.
  @inline(__always)
  static func isComplete(_ record: borrowing Record) -> Bool {
    record.pid > 0 && !record.level.isEmpty && !record.source.isEmpty && !record.name.isEmpty
      && isOneWord(record.level) && isOneWord(record.source) && isOneWord(record.name)
  }

  private static func missing(_ field: String) -> RecordProblem {
    RecordProblem(
      "the field \(field) is missing", remedy: "give --ignore-missing-fields to accept such records")
  }

  @inline(__always)
  private static func checkWord(_ text: ByteSlice, _ field: StaticString) throws(RecordProblem) {
    if !isOneWord(text) { throw RecordProblem("the \(field) \(quoted(text)) is more than one word") }
  }

  /// Whether the text is one word, or none.
  @inline(__always)
  private static func isOneWord(_ text: ByteSlice) -> Bool {
    // A short plain text without a space, which these values nearly always are, is one word.
    if text.isPlain, !text.mayHaveSpace { return true }
    return TextCheck.wordCount(text, limit: 2) <= 1
  }
}
