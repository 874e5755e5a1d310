import Foundation
import TestSupport
import Testing

/// The format for people on a pseudoterminal: the default, the layout, the pager.
@Suite(.ownThreads, .needs("script")) struct PrettyTerminalTests {
  private static let folder = Repository.url("formats/output/pretty")
  private static let sample = folder.appendingPathComponent("terminal.log").path

  @Test(arguments: [80, 120, 200])
  func writesTheSampleInColumns(_ columns: Int) throws {
    let golden = Self.folder.appendingPathComponent("terminal-\(columns).pretty")
    let options = ["--no-pager", "--quiet", Self.sample]
    let shown = try Self.onTerminal(options, environment: ["COLUMNS": "\(columns)", "NO_COLOR": "1"])
    #expect(shown == (try String(contentsOf: golden, encoding: .utf8)))
  }

  /// Neither a width nor a colour is of any effect there.
  @Test func aPipeGetsWholeLines() throws {
    let golden = try String(
      contentsOf: Self.folder.appendingPathComponent("terminal-piped.pretty"), encoding: .utf8)
    let options = ["--output-format", "pretty", "--quiet", Self.sample]
    let environment = ["COLUMNS": "80", "TERM": "xterm", "TZ": "UTC"]
    #expect(try Tool.run(options, environment: environment).text == golden)
  }

  @Test func theDefaultIsForPeopleOnTerminalsAlone() throws {
    let folder = try TemporaryFolder()
    let text = try Tool.run([Self.sample], environment: ["TZ": "UTC"]).text
    #expect(text.contains("# Format Version: "))
    let shown = try Self.onTerminal(["--no-pager", Self.sample])
    #expect(shown.contains("times in UTC --") && !shown.contains("# Format Version: "), "\(shown)")
    let chosen = try Self.onTerminal(["--output-format", "text", Self.sample])
    #expect(chosen.contains("# Format Version: "), "\(chosen)")
    let file = folder.url.appendingPathComponent("out").path
    _ = try Self.onTerminal(["--output-file", file, Self.sample])
    #expect(try String(contentsOfFile: file, encoding: .utf8).contains("# Format Version: "))
  }

  /// The terminal's own width counts when COLUMNS is not set.
  @Test func theTerminalSaysItsWidth() throws {
    let shown = try Self.onTerminal(
      ["--no-pager", "--quiet", Self.sample], before: "stty cols 120; unset COLUMNS; ")
    let golden = Self.folder.appendingPathComponent("terminal-120.pretty")
    let plain = shown.replacing(/\u{1b}\[[0-9;]*m/, with: "")
    #expect(plain == (try String(contentsOf: golden, encoding: .utf8)))
    #expect(shown.contains("\u{1b}[1;31mERROR\u{1b}[0m"))
  }

  @Test func showsTimesInTheZoneThatIsAskedFor() throws {
    let berlin = ["TZ": "Europe/Berlin"]
    let local = try Self.onTerminal(["--no-pager", Self.sample], environment: berlin)
    #expect(local.contains("-- Thu 2026-03-05, times in CET (+01:00) --"), "\(local)")
    #expect(local.contains("-- Fri 2026-03-06 --") && local.contains("23:58:01.120"), "\(local)")
    let utc = try Self.onTerminal(["--no-pager", "--utc", Self.sample], environment: berlin)
    #expect(utc.contains("-- Thu 2026-03-05, times in UTC --") && utc.contains("22:58:01.120"), "\(utc)")
    let piped = try Tool.run(["--output-format", "pretty", Self.sample], environment: berlin).text
    #expect(piped.hasPrefix("2026-03-05 23:58:01.120+01:00 "), "\(piped)")
  }

  // MARK: Pager

  private static func page(_ pager: [String: String], _ arguments: [String] = []) throws -> String {
    try onTerminal(["--quiet", "--color", "never"] + arguments + [sample], environment: pager)
  }

  @Test func aPagerGetsTheOutput() throws {
    let plain = try Self.page(["PAGER": "cat"])
    let marked = "P" + plain.dropLast().replacing("\n", with: "\nP") + "\n"
    #expect(try Self.page(["PAGER": "sed s/^/P/"]) == marked)
    #expect(try Self.page(["PAGER": "sed 's/^/P/' | cat"]) == marked)
    #expect(try Self.page(["PAGER": "false", "KATA_LOG_PARSER_PAGER": "sed s/^/P/"]) == marked)
    // No pager: none that can be found, none that is wanted.
    #expect(try Self.page(["PAGER": "/nonexistent/pager -x"]) == plain)
    #expect(try Self.page(["PAGER": "/nonexistent/pager 'x' 2>/dev/null"]).hasSuffix(plain))
    #expect(try Self.page(["PAGER": "sed s/^/P/", "KATA_LOG_PARSER_PAGER": ""]) == plain)
    #expect(try Self.page(["PAGER": "sed s/^/P/"], ["--no-pager"]) == plain)
    #expect(try Self.page(["PAGER": "sed s/^/P/", "TERM": "dumb"]) == plain)
    let classic = try Self.page(["PAGER": "sed s/^/P/"], ["--output-format", "csv"])
    #expect(!classic.contains("\nP"), "\(classic)")
  }

  /// One that ends at once is no error, and less is told what git tells it.
  @Test func aPagerHasItsEnvironmentAndMayEndEarly() throws {
    let shown = try Self.page(["PAGER": "env"])
    #expect(shown.contains("LESS=FRX\n") && shown.contains("LV=-c\n"), "\(shown)")
    #expect(!shown.contains("LESSSECURE") && !shown.contains("error"), "\(shown)")
    #expect(try Self.page(["PAGER": "env", "LESS": "S"]).contains("LESS=S\n"))
    #expect(try Self.page(["PAGER": "env", "SUDO_UID": "1000"]).contains("LESSSECURE=1\n"))
  }

  /// A signal ends the input of the pager, which the user leaves when it pleases; then the run dies of the signal.
  /// (SIGINT is ignored in what a shell has put into the background.)
  @Test func aSignalLeavesThePagerToTheUser() throws {
    let folder = try TemporaryFolder()
    let pager = try folder.write(
      "pager", "#!/bin/sh\nhead -n 1 >/dev/null\n: >ready\ncat >/dev/null\necho pager ends\n")
    let script = """
      chmod +x '\(pager)'; mkfifo in; i=0
      export KATA_LOG_PARSER_PAGER=./pager TERM=xterm
      timeout -s KILL 60 script -qec 'echo $$ >pid; exec "\(try Tool.path)" --reorder-window 0 in' /dev/null >out </dev/null & exec 3>in
      (while [ ! -e ready ]; do
        echo "time=2026-03-05T05:01:54.5Z level=info msg=\(String(repeating: "x", count: 1000)) name=n pid=1 source=s"
      done) >&3
      kill -TERM $(cat pid); wait $!; echo "status $?"; cat out
      """
    let result = try Tool.run("/bin/bash", ["-c", script], in: folder.url)
    #expect(result.text.contains("status 143\n") && result.text.contains("pager ends"), "\(result)")
  }

  /// What a terminal gets, without the carriage returns that it adds. The run must succeed.
  private static func onTerminal(
    _ arguments: [String], environment: [String: String] = [:], before: String = ""
  ) throws -> String {
    let words = ([try Tool.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    var variables = ["TERM": "xterm", "TZ": "UTC", "COLUMNS": "80"].merging(environment) { $1 }
    // Variables of whoever runs the tests have no say.
    let unset = ["NO_COLOR", "PAGER", "KATA_LOG_PARSER_PAGER", "LESS", "LV", "LESSSECURE", "SUDO_UID"]
      .filter { variables[$0] == nil }
    variables["SHELL"] = "/bin/sh"
    let command = "unset \(unset.joined(separator: " ")); \(before)\(words)"
    let result = try Tool.run("/usr/bin/script", ["-qec", command, "/dev/null"], environment: variables)
    #expect(result.status == 0, "\(result)")
    return result.text.replacing("\r\n", with: "\n")
  }
}
