import Foundation
import TestSupport
import Testing

/// What reaches a terminal of what a guest wrote.
@Suite(.ownThreads) struct TerminalTests {
  /// Hostile logs of every kind in every format, on a pseudoterminal; the validator has the rule for itself.
  @Test func nothingThatAGuestWroteIsObeyed() throws {
    let rounds = ProcessInfo.processInfo.environment["KATA_TEST_SLOW"] == nil ? "3" : "100"
    let result = try Tool.run(
      Repository.path(".build/venv/bin/python"),
      [Repository.path("Tests/Validators/check-terminal.py"), Tool.path, rounds, "1"])
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
    #expect(result.text.hasPrefix("\(rounds) rounds"))
  }

  @Test(arguments: ["text", "csv"])
  func onATerminalEscapesStandForWhatAPipeGetsAsItIs(_ format: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("guest.log", "[    0.1] a\u{1b}]0;owned\u{7}b\u{9b}2J\u{202e}c\n")
    let arguments = ["--output-format", format, path]
    let raw = "a\u{1b}]0;owned\u{7}b\u{9b}2J\u{202e}c"
    #expect(try Tool.run(arguments).text.contains(raw))
    let command = try "'\(Tool.path)' \(arguments.joined(separator: " "))"
    let shown = try Tool.run("/usr/bin/script", ["-qec", command, "/dev/null"]).text
    #expect(shown.contains(#"a\x1b]0;owned\x07b\u009b2J\u202ec"#) && !shown.contains(raw), "\(shown)")
    // A terminal that is named as a file is one too; a file is none.
    let named = try Tool.run("/usr/bin/script", ["-qec", "\(command) --output-file /dev/tty", "/dev/null"])
      .text
    #expect(named == shown)
    let file = folder.url.appendingPathComponent("out").path
    _ = try Tool.run("/usr/bin/script", ["-qec", "\(command) --output-file \(file)", "/dev/null"])
    #expect(try String(contentsOfFile: file, encoding: .utf8).contains(raw))
  }

  /// A line end in a column would begin a line as a record does.
  @Test func aColumnOfPrettyStaysInItsLine() throws {
    let record =
      #"{"msg":"m","level":"INFO","ts":"2026-03-05T05:01:54.5Z","pid":"7","name":"n","source":"s\nforged"}"#
    let result = try Tool.run(
      ["--ignore-missing-fields", "--output-format", "pretty", "-"], input: Data("[    0.1] \(record)\n".utf8)
    )
    #expect(
      result.text.split(separator: "\n").count == 1 && result.text.contains(#"s\x0aforged"#), "\(result.text)"
    )
  }
}
