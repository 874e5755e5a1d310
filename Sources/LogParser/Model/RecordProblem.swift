/// Why a record could not be read.
package struct RecordProblem: Error, Equatable {
  /// The column in bytes, from 1; 0 when the whole record is meant.
  package var column: Int
  /// What is wrong, in lower case, without a full stop.
  package var reason: String
  /// What to do about it, if anything can be done.
  package var remedy: String?
  /// Whether the record is only too long: it is passed over, and the run goes on.
  package var isOverLimit = false

  package init(column: Int = 0, _ reason: String, remedy: String? = nil, isOverLimit: Bool = false) {
    self.column = column
    self.reason = reason
    self.remedy = remedy
    self.isOverLimit = isOverLimit
  }
}

extension RecordProblem {
  /// The problem of a record of `count` bytes where at most `limit` are read.
  static func tooLong(_ count: Int, limit: Int) -> RecordProblem {
    RecordProblem(
      "a record of \(count) bytes is longer than the limit of \(limit) and was skipped",
      remedy: "raise it with --max-record-size", isOverLimit: true)
  }
}
