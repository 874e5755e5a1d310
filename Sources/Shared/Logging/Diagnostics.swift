import Bytes
import System

/// What a command says to its user on standard error: plain lines that begin with its name, and how far it is.
package final class Diagnostics {
  private let program: String
  /// Whether warnings are left out.
  package var isQuiet = false
  /// Whether lines for a search for a fault are written.
  package var isDebug = false

  /// Whether nothing is said: another reading of the same input says it.
  package var isSilent = false

  /// Whether a line at the foot of standard error says how far the run is.
  package var showsProgress = false
  private var nextProgress: UInt64?
  private var isProgressShown = false

  /// - Parameter program: the name that lines begin with.
  package init(_ program: String) { self.program = program }

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
    StandardError.write("\r\u{1b}[K\(program): \(text())")
    isProgressShown = true
  }

  private static var milliseconds: UInt64 { MonotonicClock.nanoseconds / 1_000_000 }

  /// Takes the line away that says how far the run is.
  package func endProgress() {
    if isProgressShown { StandardError.write("\r\u{1b}[K") }
    isProgressShown = false
  }

  /// Something failed.
  package func error(_ text: String) { line("\(program): error: \(text)") }

  /// Something is wrong that the command goes on with.
  package func warning(_ text: String) { if !isQuiet { line("\(program): warning: \(text)") } }

  /// Something that only a search for a fault needs.
  package func debug(_ text: String) { if isDebug { line("\(program): debug: \(text)") } }

  /// Writes one line, in which a terminal finds nothing to obey: see ``TerminalText``.
  package func line(_ text: String) {
    if isSilent { return }
    endProgress()
    StandardError.write(TerminalText.line(text) + "\n")
  }
}
