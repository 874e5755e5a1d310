import System

/// The result of rendering a piece.
struct RenderResult {
  var statistics = ReadingStatistics()
  /// What ended the piece early: the line number and the problem.
  var problem: (line: UInt64, RecordProblem)?
  var failure: SystemCallError?
  /// The piece of the input that this was made of ahead of those before it, and what that leaves open.
  var segment: FileSegment?
  var notes: OwnerNotes?
  /// The piece of the input of which nothing was made, because what comes before it must be known.
  var left: FileSegment?

  /// Notes lines that are one record each.
  mutating func noteLines(_ count: UInt64) {
    statistics.lines.lines += count
    statistics.recordsOfLines += count
  }
}
