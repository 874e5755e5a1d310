import Logging

/// The report at the end of a run: what was lost, as text, and all counts as JSON.
struct RunReport {
  private let statistics: ReadingStatistics
  private let options: RunOptions

  init(_ statistics: ReadingStatistics, _ options: RunOptions) {
    self.statistics = statistics
    self.options = options
  }

  func write(to diagnostics: Diagnostics) {
    let unreported = statistics.bad + statistics.tooLong
    if unreported > UInt64(options.maximumErrors) {
      diagnostics.error(
        "\(unreported - UInt64(options.maximumErrors)) more bad records were not reported; raise --max-errors to see them"
      )
    }
    if let losses { diagnostics.warning(losses) }
    if options.writesStatistics { diagnostics.line(json) }
  }

  /// What is missing from the output or was incomplete in the input; nil if nothing is.
  private var losses: String? {
    let parts: [(UInt64, one: String, many: String)] = [
      (statistics.bad - statistics.mended, "bad record left out", "bad records left out"),
      (
        statistics.mended, "bad record written as well as it could be read",
        "bad records written as well as they could be read"
      ),
      (statistics.tooLong, "record over the size limit left out", "records over the size limit left out"),
      (
        statistics.raw, "line that matches no format, kept as it is",
        "lines that match no format, kept as they are"
      ),
      (statistics.truncated, "record cut by its writer", "records cut by their writer"),
      (
        statistics.unpackFailures, "agent record that could not be unpacked",
        "agent records that could not be unpacked"
      ),
      (statistics.suppressed, "message suppressed by journald", "messages suppressed by journald"),
      (statistics.dropped, "message dropped by a logger", "messages dropped by loggers"),
      (statistics.journalGaps, "gap in the journal", "gaps in the journal"),
      (statistics.truncations, "truncation of a followed file", "truncations of a followed file"),
      (
        options.toleratesBadInputs || options.journal != nil ? statistics.failedInputs : 0,
        "input that could not be read to its end",
        "inputs that could not be read to their end"
      ),
    ]
    let words = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.0 == 1 ? $0.one : $0.many)" }
    return words.isEmpty ? nil : words.joined(separator: ", ")
  }

  /// All counts on one line; the names are stable across releases.
  private var json: String {
    let members: [(String, UInt64)] = [
      ("records", statistics.records), ("raw", statistics.raw),
      ("inherited_times", statistics.inheritedTimes),
      ("bad", statistics.bad), ("too_long", statistics.tooLong), ("truncated", statistics.truncated),
      ("agent_unpack_failures", statistics.unpackFailures), ("suppressed", statistics.suppressed),
      ("dropped", statistics.dropped), ("journal_gaps", statistics.journalGaps),
      ("truncations", statistics.truncations),
      ("duplicates", statistics.duplicates), ("unselected", statistics.unselected),
      ("failed_inputs", statistics.failedInputs), ("input_warnings", statistics.inputWarnings),
      ("mended", statistics.mended), ("lines", statistics.lines.lines),
      ("joined_lines", statistics.joinedLines), ("blank_lines", statistics.lines.blank),
      ("skipped_lines", statistics.lines.skipped), ("split_lines", statistics.lines.split),
      ("late", statistics.late), ("early", statistics.early), ("forgotten_ids", statistics.forgottenIDs),
    ]
    return "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }
}
