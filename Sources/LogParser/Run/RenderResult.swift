import System

/// What became of a piece.
struct RenderResult {
  var statistics = ReadingStatistics()
  /// What ended the piece early: the line's number and what is wrong with it.
  var problem: (line: UInt64, RecordProblem)?
  var failure: SystemCallError?

  /// Notes lines that are a record each.
  mutating func noteLines(_ count: UInt64) {
    statistics.lines.lines += count
    statistics.recordsOfLines += count
  }
}
