import Bytes
import System

/// A command's messages to its user on standard error: plain lines that begin with its name, and its progress.
package final class Diagnostics {
  private let program: String
  /// Whether warnings are left out.
  package var isQuiet = false
  /// Whether debug lines are written.
  package var isDebug = false

  /// Whether all messages are suppressed, because another pass over the same input reports them.
  package var isSilent = false

  /// Whether the last line of standard error shows the progress of the run.
  package var showsProgress = false
  private var nextProgress: UInt64?
  private var isProgressShown = false

  /// - Parameter program: the name that lines begin with.
  package init(_ program: String) { self.program = program }

  /// Shows the progress of the run, after one second and then four times a second. `text` is made only when it is
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
    StandardError.write("\r\u{1b}[K\(program): \(text())")
    isProgressShown = true
  }

  private static var milliseconds: UInt64 { MonotonicClock.nanoseconds / 1_000_000 }

  /// Removes the progress line.
  package func endProgress() {
    if isProgressShown { StandardError.write("\r\u{1b}[K") }
    isProgressShown = false
  }

  /// Something failed.
  package func error(_ text: String) { line("\(program): error: \(text)") }

  /// Something is wrong, but the command continues.
  package func warning(_ text: String) { if !isQuiet { line("\(program): warning: \(text)") } }

  /// Something that is needed only for debugging.
  package func debug(_ text: String) { if isDebug { line("\(program): debug: \(text)") } }

  /// Writes one line that cannot control a terminal: see ``TerminalText``.
  package func line(_ text: String) {
    if isSilent { return }
    endProgress()
    StandardError.write(TerminalText.line(text) + "\n")
  }
}
