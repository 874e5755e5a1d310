/// Turns the lines of one input into records.
package struct RecordReader: ~Copyable {
  package enum Outcome { case record, needsMore, nothing }
  private let logfmt: LogfmtRecord

  package init(rules: ReadingRules) { logfmt = LogfmtRecord(rules: rules) }

  package mutating func read(
    line: ByteSlice, number: UInt64, into record: inout Record
  ) throws(RecordProblem) -> Outcome {
    record.reset()
    record.line = number
    try logfmt.parse(line, into: &record)
    return .record
  }

  package mutating func finish(into record: inout Record) throws(RecordProblem) -> Outcome { .nothing }
}
