import Basics
import Glibc

/// What a run says on standard error.
package final class Diagnostics {
  private let program = "kata-log-parser"
  package var isQuiet = false
  package var isDebug = false

  package init() {}

  package func error(_ text: String) { line("\(program): error: \(text)") }
  package func warning(_ text: String) { if !isQuiet { line("\(program): warning: \(text)") } }
  package func debug(_ text: String) { if isDebug { line("\(program): debug: \(text)") } }

  /// `path:line:column: reason`, and what to do.
  package func problem(_ problem: RecordProblem, in name: String, line: UInt64) {
    let place = problem.column > 0 ? "\(name):\(line):\(problem.column)" : "\(name):\(line)"
    let remedy = problem.remedy.map { "; \($0)" } ?? ""
    error("\(place): \(problem.reason)\(remedy)")
  }

  /// Writes one line as it is, but for control characters, which a terminal would obey.
  package func line(_ text: String) {
    var line = ""
    for scalar in text.unicodeScalars {
      if scalar.properties.generalCategory == .control {
        line += scalar.escaped(asASCII: true)
      } else {
        line.unicodeScalars.append(scalar)
      }
    }
    line += "\n"
    line.withUTF8 { bytes in
      _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }
}
