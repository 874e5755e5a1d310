import Foundation
import TestSupport
import Testing

/// The command line: options, help, and what a wrong one is told.
@Suite(.ownThreads) struct CommandLineTests {
  private let sample = Repository.path("formats/output/sample.log")

  @Test(arguments: [
    (["--ouput-format", "json", "f"], "unknown option --ouput-format; did you mean --output-format?"),
    (["-output-format=jsn", "f"], "--output-format: \"jsn\" is not one of"),
    (["--output-format"], "--output-format: a value is missing: FORMAT"),
    (["--quiet=maybe", "f"], "--quiet: \"maybe\" is neither true nor false"),
    (["-Z", "f"], "unknown option -Z"),
    ([], "there is nothing to read"),
    (["-t", "kata", "f"], "--identifier applies to a journal"),
    (["--journal", "f"], "the journal and files cannot be read in one run"),
    (["--fields", "a", "--output-format", "json", "f"], "--fields is for"),
    (["--follow", "f"], "--follow needs a format that is written record by record"),
    (["-f", "--output-format", "ndjson"], "--follow needs --journal, files or -"),
    (["-f", "--output-format", "ndjson", "a", "-"], "--follow cannot combine standard input with files"),
    (["-f", "--output-format", "ndjson", "--rotated", "a"], "leave out --rotated"),
    (["--level", "loud", "f"], "is not one of trace, debug, info, warning, error, critical"),
    (["--match", "nothing", "f"], "is neither KEY=VALUE nor KEY~REGEX"),
    (["--match", "msg~(", "f"], "the regular expression \"(\" is invalid"),
    (["--since", "whenever", "f"], "\"whenever\" is not a time"),
    (["--max-record-size", "1", "f"], "is not a size from 1K to 64M"),
    (["--threads", "0", "f"], "is not a number from 1 to 64"),
    (["--output-file-mode", "999", "f"], "is not an octal number"),
    (["--reorder-window", "soon", "f"], "is not a duration of at most a day, such as 500ms"),
  ])
  func wrongUseIsExplained(_ arguments: [String], _ message: String) throws {
    let result = try Tool.run(arguments)
    #expect(result.status == (arguments.isEmpty ? 1 : 2))
    #expect(result.errorText.contains(message), "\(result.errorText)")
    #expect(result.output.isEmpty)
  }

  @Test(arguments: [
    ["--output-format", "json"], ["-output-format", "json"], ["--output-format=json"],
    ["-output-format=json"],
    ["--output-format", "text", "-output-format=json"],
    ["--quiet=false", "--debug=0", "-output-format=json"],
  ])
  func optionsAreTakenInAllSpellings(_ options: [String]) throws {
    let expected = try Tool.run(["--output-format", "json", sample]).output
    #expect(try Tool.run(options + [sample]).output == expected)
    #expect(try Tool.run([sample] + options).output == expected)
    #expect(try Tool.run(options + ["--", sample]).output == expected)
  }

  @Test func listsFormats() throws {
    #expect(
      try Tool.run(["--list-output-formats"]).text
        == "csv\njson\nlogfmt\nndjson\npretty\ntext\ntoml\nxml\nyaml\n")
  }

  @Test func everyOptionIsInEveryText() throws {
    let long = try Tool.run(["--help"])
    let pattern = try NSRegularExpression(pattern: "^  (?:-., |    )--([a-z-]+)", options: .anchorsMatchLines)
    let range = NSRange(long.text.startIndex..., in: long.text)
    let names = pattern.matches(in: long.text, range: range).compactMap { match in
      Range(match.range(at: 1), in: long.text).map { String(long.text[$0]) }
    }
    #expect(names.count == Set(names).count)
    #expect(names.count >= 43)
    let texts = [
      try Tool.run(["-h"]).text,
      try Tool.run(["--generate", "man"]).text.replacingOccurrences(of: "\\-", with: "-"),
      try Tool.run(["--generate", "complete-bash"]).text, try Tool.run(["--generate", "complete-zsh"]).text,
    ]
    let fish = try Tool.run(["--generate", "complete-fish"]).text
    for name in names {
      for text in texts { #expect(text.contains("--\(name)")) }
      #expect(fish.contains("-l \(name)"))
    }
    #expect(long.status == 0 && long.errorText.isEmpty)
  }

  @Test func helpFitsItsWidth() throws {
    let text = try Tool.run(["--help"], environment: ["COLUMNS": "70"]).text
    let usage = text.components(separatedBy: "\n").filter { $0.hasPrefix("          ") }
    #expect(!usage.isEmpty && usage.allSatisfy { $0.count <= 70 })
  }

  @Test func manualPageHasItsSections() throws {
    let page = try Tool.run(["--generate", "man"]).text
    for section in [
      "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "FILES", "SEE ALSO",
    ] {
      #expect(page.contains("\n.SH \(section)\n"))
    }
    // No line is taken for a request that is none.
    let requests = [
      ".TH", ".nh", ".ad", ".SH", ".B", ".br", ".PP", ".SS", ".TP", ".RS", ".RE", ".nf", ".fi", ".I",
    ]
    for line in page.split(separator: "\n") where line.hasPrefix(".") {
      #expect(requests.contains(String(line.prefix { $0 != " " })), "\(line)")
    }
  }

  @Test func bashCompletesOptionsAndValues() throws {
    let folder = try TemporaryFolder()
    let script = try folder.write("complete", try Tool.run(["--generate", "complete-bash"]).text)
    func complete(_ words: String) throws -> [String] {
      let code = """
        source '\(script)'; COMP_WORDS=(\(words)); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _kata_log_parser
        printf '%s\\n' "${COMPREPLY[@]}"
        """
      return try Tool.run("/bin/bash", ["-c", code]).text.split(separator: "\n").map(String.init)
    }
    #expect(try complete("kata-log-parser --output-fo").sorted() == ["--output-format"])
    #expect(try complete("kata-log-parser --output-format x") == ["xml"])
    #expect(try complete("kata-log-parser --output-format = y") == ["yaml"])
    #expect(try complete("kata-log-parser --level e") == ["error"])
  }

  @Test func closedOutputIsNoError() throws {
    let code = try "'\(Tool.path)' --output-format ndjson '\(sample)' | head -0; echo ${PIPESTATUS[0]}"
    let result = try Tool.run("/bin/bash", ["-c", code])
    #expect(result.text == "0\n" && result.errorText.isEmpty)
    let full = try Tool.run("/bin/bash", ["-c", "'\(Tool.path)' '\(sample)' >/dev/full"])
    #expect(full.status == 1 && full.errorText.contains("No space left on device"))
  }
}
