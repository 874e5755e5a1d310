/// What became of the lines of an input that are not records of their own. All others are records, or are reported.
package struct LineCounts: Sendable, Equatable {
  /// All lines that were read.
  package var lines: UInt64 = 0
  /// Blank lines between records.
  package var blank: UInt64 = 0
  /// Lines of a tool itself, which say nothing of the log.
  package var skipped: UInt64 = 0
  /// Records that came from a line which had given another one before.
  package var split: UInt64 = 0

  package init() {}
}
