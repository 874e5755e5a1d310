import Basics
import Glibc

/// What a run says on standard error.
package final class Diagnostics {
  private let program = "kata-log-parser"
  package var isQuiet = false
  package var isDebug = false

  package init() {}

  package func error(_ text: String) { write("error: \(text)") }
  package func warning(_ text: String) { if !isQuiet { write("warning: \(text)") } }
  package func debug(_ text: String) { if isDebug { write("debug: \(text)") } }

  /// `path:line:column: reason`, and what to do.
  package func problem(_ problem: RecordProblem, in name: String, line: UInt64) {
    let place = problem.column > 0 ? "\(name):\(line):\(problem.column)" : "\(name):\(line)"
    let remedy = problem.remedy.map { "; \($0)" } ?? ""
    write("error: \(place): \(problem.reason)\(remedy)")
  }

  private func write(_ text: String) {
    var line = "\(program): \(text)\n"
    line.withUTF8 { bytes in
      _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }
}
