/// A record as journald keeps it: named fields, whatever way they were read (in place, `-o json`, `-o export`).
enum JournalEntry {
  /// Reads the fields of one journal entry into `record`, which must be empty.
  ///
  /// The names are journald's (`MESSAGE`, `_PID`, `__REALTIME_TIMESTAMP`, …); a name that occurs more than once is a
  /// repeated field. The slices must live as long as the record: in its arena, or in the input's buffer.
  static func read(
    _ fields: borrowing MemberList, into record: inout Record, rules: ReadingRules
  ) throws(RecordProblem) {
    for index in 0..<fields.count where fields[index].key == "MESSAGE" {
      record.message = fields[index].value
    }
  }
}
