import Foundation

/// Lines of the runtime's own logfmt, numbered by milliseconds.
enum LogLines {
  static func line(_ number: Int, _ text: String = "m") -> String {
    let time = String(
      format: "2026-03-05T%02d:%02d:%02d.%03dZ", 5 + number / 3_600_000, number / 60_000 % 60,
      number / 1000 % 60, number % 1000)
    return "time=\"\(time)\" level=info msg=\"\(text)\" name=n pid=1 source=s number=\(number)\n"
  }

  static func text(_ numbers: some Sequence<Int>) -> String { numbers.map { line($0) }.joined() }
}
