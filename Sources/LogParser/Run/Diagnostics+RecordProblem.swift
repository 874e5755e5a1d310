import Logging

extension Diagnostics {
  /// `path:line:column: reason`, and what to do.
  package func problem(_ problem: RecordProblem, in name: String, line: UInt64) {
    let place = problem.column > 0 ? "\(name):\(line):\(problem.column)" : "\(name):\(line)"
    let remedy = problem.remedy.map { "; \($0)" } ?? ""
    error("\(place): \(problem.reason)\(remedy)")
  }
}
