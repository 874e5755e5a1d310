import System

/// The result of rendering a piece.
struct RenderResult {
  var statistics = ReadingStatistics()
  /// What ended the piece early: the line number and the problem.
  var problem: (line: UInt64, RecordProblem)?
  var failure: SystemCallError?

  /// Notes lines that are one record each.
  mutating func noteLines(_ count: UInt64) {
    statistics.lines.lines += count
    statistics.recordsOfLines += count
  }
}
