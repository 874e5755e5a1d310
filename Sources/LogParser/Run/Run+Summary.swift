import Bytes
import System

extension Run {
  /// Reads all selected records and writes a summary of each sandbox.
  func summarize(_ inputs: InputList) throws(Failure) {
    var source = try RecordSource(
      options, diagnostics, inputs, isFollowed: false, tally: tally, attribution: attribution)
    defer { statistics.add(source.statistics) }
    var summaries = SandboxSummaries()
    var record = Record()
    var count: UInt64 = 0
    while case .record = try source.next(into: &record) {
      summaries.note(record, source.owner)
      count += 1
      if count % 4096 == 0 { diagnostics.progress("\(count) records read") }
    }
    try requireRecords(count, source.statistics)
    let sandboxes = summaries.sorted(attribution)
    let text =
      switch options.format {
      case .json:
        SummaryJSON.document(sandboxes, others: summaries.others, beyondLimit: summaries.beyondLimit)
      case .ndjson: SummaryJSON.lines(sandboxes, others: summaries.others)
      default: SummaryTable.text(sandboxes, others: summaries.others, beyondLimit: summaries.beyondLimit)
      }
    try writeReport(text)
  }

  /// Writes a report to the run's output.
  func writeReport(_ text: String) throws(Failure) {
    var target = try openTarget()
    do throws(SystemCallError) {
      var out = OutputBuffer()
      out.append(string: text)
      try target.write(out.bytes)
      try target.finish()
    } catch {
      throw .message(error.description)
    }
  }
}
