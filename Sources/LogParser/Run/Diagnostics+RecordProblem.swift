import Logging

extension Diagnostics {
  /// Writes `path:line:column: reason` and the remedy.
  ///
  /// - Parameter option: the option that continues past the problem, if it ended the run.
  package func problem(_ problem: RecordProblem, in name: String, line: UInt64, readsOn option: String? = nil)
  {
    let place = problem.column > 0 ? "\(name):\(line):\(problem.column)" : "\(name):\(line)"
    let remedy = problem.remedy.map { "; \($0)" } ?? ""
    let end = option.map { "; \($0) reads on" } ?? ""
    error("\(place): \(problem.reason)\(remedy)\(end)")
  }
}
