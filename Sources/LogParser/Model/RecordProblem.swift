/// Why a record could not be read.
package struct RecordProblem: Error, Equatable {
  /// The column in bytes, from 1; 0 for the whole record.
  package var column: Int
  /// What is wrong, in lower case, without a full stop.
  package var reason: String
  /// What the user can do about it, if anything.
  package var remedy: String?
  /// Whether the record is only too long: it is skipped, and the run continues.
  package var isOverLimit = false

  package init(column: Int = 0, _ reason: String, remedy: String? = nil, isOverLimit: Bool = false) {
    self.column = column
    self.reason = reason
    self.remedy = remedy
    self.isOverLimit = isOverLimit
  }
}

extension RecordProblem {
  /// The problem with a record of `count` bytes, of which at most `limit` are allowed.
  static func tooLong(_ count: Int, limit: Int) -> RecordProblem {
    RecordProblem(
      "a record of \(count) bytes is longer than the limit of \(limit) and was skipped",
      remedy: "raise it with --max-record-size", isOverLimit: true)
  }
}
