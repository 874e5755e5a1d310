import Logging

extension Diagnostics {
  /// `path:line:column: reason`, and what to do.
  ///
  /// - Parameter option: the option that reads on, where the run ended.
  package func problem(_ problem: RecordProblem, in name: String, line: UInt64, readsOn option: String? = nil)
  {
    let place = problem.column > 0 ? "\(name):\(line):\(problem.column)" : "\(name):\(line)"
    let remedy = problem.remedy.map { "; \($0)" } ?? ""
    let end = option.map { "; \($0) reads on" } ?? ""
    error("\(place): \(problem.reason)\(remedy)\(end)")
  }
}
