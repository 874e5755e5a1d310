import Foundation
import TestSupport
import Testing

/// Lenient reading through the real binary: what it writes and counts, and where its default comes from.
@Suite(.ownThreads) struct LenientRunTests {
  private static func counts(_ errors: String) throws -> [String: Int] {
    let last = try #require(errors.split(separator: "\n").last)
    return try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Int])
  }

  private static func good(_ number: Int) -> String {
    "time=\"2026-03-05T05:01:54.\(100_000 + number)Z\" level=info msg=\"number \(number)\" name=n pid=1 source=s\n"
  }

  /// On the way of a file in order, over a ``SortBuffer`` and side by side, with any bad line among good ones.
  @Test(.seeded) func theCountsAddUp() throws {
    var generator = Seed.generator()
    let folder = try TemporaryFolder()
    let odd = [
      "time=\"2026-03-05T05:01:54.100500Z\" msg=\"odd \"x\" y\" key with blanks=1", "", "  ", "odd words",
      "-- Boot 11112222333344445555666677778888 --", "level=info msg=odd", "{\"msg\":\"odd\"",
      "time=\"odd\" msg=x",
    ]
    for round in 0..<12 {
      let text = (0..<200).map { number in
        generator.oneIn(5)
          ? (round < 4 ? odd[0] : generator.pick(odd)) + "\n" : Self.good(round < 4 ? 400 : number)
      }.joined()
      let path = try folder.write("log", text)
      for more in [[], ["--threads", "2"], ["--reorder-window", "1s"], ["--keep-going"], ["--check-only"]] {
        let result = try Tool.run(["--output-format", "ndjson", "--stats"] + more + [path])
        let counts = try Self.counts(result.errorText)
        func count(_ name: String) -> Int { counts[name] ?? -1 }
        #expect(result.status == 0 && count("bad") == 0 && count("too_long") == 0, "\(result.errorText)")
        #expect(count("lines") == 200, "\(more): \(result.errorText)")
        #expect(
          count("records") + count("blank_lines") + count("skipped_lines") + count("joined_lines")
            == count("lines") + count("split_lines"), "\(more): \(result.errorText)")
        #expect(count("joined_lines") == 0, "\(more): \(result.errorText)")
        if more != ["--check-only"] { #expect(result.text.split(separator: "\n").count == count("records")) }
      }
    }
  }

  private func run(_ file: String, _ arguments: [String], _ environment: [String: String]) throws
    -> Tool.Result
  {
    try Tool.run(
      ["--output-format", "csv", "--fields", "msg"] + arguments + [file], environment: environment)
  }

  /// The file of defaults, the environment and the options, each above the one before.
  @Test func theDefaultCanBeChanged() throws {
    let folder = try TemporaryFolder()
    let log = try folder.write("log", "level=info msg=a\n")
    let config = folder.url.path
    func set(_ text: String) throws { _ = try folder.write("kata-log-parser.conf", text) }
    try set("# how to read\n\n  lenient = true # always\n")
    #expect(try run(log, [], ["XDG_CONFIG_HOME": config]).status == 0)
    #expect(try run(log, [], ["XDG_CONFIG_HOME": config, "KATA_LOG_PARSER_LENIENT": "0"]).status == 1)
    #expect(try run(log, ["--strict"], ["XDG_CONFIG_HOME": config]).status == 1)
    #expect(try run(log, ["--lenient=false"], ["XDG_CONFIG_HOME": config]).status == 1)
    try set("lenient=false\n")
    #expect(try run(log, [], ["XDG_CONFIG_HOME": config]).status == 1)
    #expect(try run(log, [], ["XDG_CONFIG_HOME": config, "KATA_LOG_PARSER_LENIENT": "1"]).status == 0)
    #expect(
      try run(log, ["--lenient"], ["XDG_CONFIG_HOME": config, "KATA_LOG_PARSER_LENIENT": "0"]).status == 0)
    let other = try TemporaryFolder()
    #expect(try run(log, [], ["XDG_CONFIG_HOME": other.url.path]).status == 1)
  }

  @Test(arguments: [
    (
      "lenient = true\nleniant = true\n",
      "kata-log-parser.conf:2: \"leniant\" is not a known key; the only one is lenient"
    ),
    ("lenient = maybe\n", "kata-log-parser.conf:1: \"maybe\" is not a value of lenient; write true or false"),
    ("lenient\n", "kata-log-parser.conf:1: \"lenient\" is not of the form KEY = VALUE"),
  ])
  func wrongDefaultsAreRefused(_ text: String, _ message: String) throws {
    let folder = try TemporaryFolder()
    let log = try folder.write("log", Self.good(1))
    _ = try folder.write("kata-log-parser.conf", text)
    let result = try run(log, [], ["XDG_CONFIG_HOME": folder.url.path])
    #expect(result.status == 2 && result.errorText.contains(message), "\(result.errorText)")
    let wrong = try run(log, [], ["KATA_LOG_PARSER_LENIENT": "perhaps", "XDG_CONFIG_HOME": "/nonexistent"])
    #expect(wrong.status == 2 && wrong.errorText.contains("KATA_LOG_PARSER_LENIENT is \"perhaps\""))
  }

  @Test func contradictionsAreRefused() throws {
    let result = try Tool.run(["--lenient", "--strict", "f"])
    #expect(result.status == 2 && result.errorText.contains("--lenient and --strict contradict each other"))
  }

  @Test(arguments: ["warn", "WARNING", "wrn"])
  func levelsHaveManySpellings(_ word: String) throws {
    let folder = try TemporaryFolder()
    let log = try folder.write(
      "log", ["info", "warning", "error"].map { "level=\($0) msg=\($0)\n" }.joined())
    let result = try run(log, ["--lenient", "--level", word], [:])
    #expect(result.text == "msg\nwarning\nerror\n", "\(result.errorText)")
  }

  /// The letters that `kata-ctl log-parser` has.
  @Test func lettersAreThoseOfKataCtl() throws {
    let folder = try TemporaryFolder()
    let log = try folder.write("log", Self.good(1) + "level=info msg=a\n")
    let target = folder.url.appendingPathComponent("out").path
    let written = try Tool.run(["--lenient", "-q", "-o", target, log])
    #expect(
      written.status == 0 && written.errorText.isEmpty && FileManager.default.fileExists(atPath: target))
    let checked = try Tool.run(["-sc", log])
    #expect(checked.status == 1 && checked.output.isEmpty)
  }
}
