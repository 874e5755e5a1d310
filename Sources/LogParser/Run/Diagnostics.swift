import Bytes
import Glibc
import System

/// What a run says on standard error.
package final class Diagnostics {
  private let program = "kata-log-parser"
  package var isQuiet = false
  package var isDebug = false

  /// Whether a line at the foot of standard error says how far the run is.
  package var showsProgress = false
  private var nextProgress: UInt64?
  private var isProgressShown = false

  package init() {}

  /// Says how far the run is, when it has taken a second and then four times a second. `text` is made only when it is
  /// shown.
  package func progress(_ text: @autoclosure () -> String) {
    guard showsProgress else { return }
    let now = Self.milliseconds
    guard let due = nextProgress else {
      nextProgress = now + 1000
      return
    }
    guard now >= due else { return }
    nextProgress = now + 250
    write("\r\u{1b}[K\(program): \(text())")
    isProgressShown = true
  }

  private static var milliseconds: UInt64 { MonotonicClock.nanoseconds / 1_000_000 }

  /// Takes the line away that says how far the run is.
  package func endProgress() {
    if isProgressShown { write("\r\u{1b}[K") }
    isProgressShown = false
  }

  package func error(_ text: String) { line("\(program): error: \(text)") }
  package func warning(_ text: String) { if !isQuiet { line("\(program): warning: \(text)") } }
  package func debug(_ text: String) { if isDebug { line("\(program): debug: \(text)") } }

  /// `path:line:column: reason`, and what to do.
  package func problem(_ problem: RecordProblem, in name: String, line: UInt64) {
    let place = problem.column > 0 ? "\(name):\(line):\(problem.column)" : "\(name):\(line)"
    let remedy = problem.remedy.map { "; \($0)" } ?? ""
    error("\(place): \(problem.reason)\(remedy)")
  }

  /// Writes one line, in which a terminal finds nothing to obey: see ``TerminalText``.
  package func line(_ text: String) {
    endProgress()
    write(TerminalText.line(text) + "\n")
  }

  private func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
  }
}
