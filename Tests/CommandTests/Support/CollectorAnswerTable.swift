import Foundation
import TestSupport
import Testing

/// The table of `formats/collector-answers`.
struct CollectorAnswerTable {
  struct Row {
    var statuses: ClosedRange<Int>
    var otlp: String
    var thrift: String
    var remedy: String

    func treatment(_ exporter: String) -> String { exporter == "otlp" ? otlp : thrift }
  }

  let rows: [Row]

  init() throws {
    let path = Repository.path("formats/collector-answers/README.md")
    var rows: [Row] = []
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
        .map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 6, let low = Int(cells[1].prefix(3)), let high = Int(cells[1].suffix(3)) else {
        continue
      }
      rows.append(Row(statuses: low...high, otlp: cells[2], thrift: cells[3], remedy: cells[4]))
    }
    self.rows = rows
  }

  /// All statuses that are treated so.
  func statuses(_ treatment: String, _ exporter: String) -> [Int] {
    rows.filter { $0.treatment(exporter) == treatment }.flatMap { Array($0.statuses) }
  }
}
