import Foundation
import TestSupport
import Testing

/// Selections: conditions that can never hold, selections that select nothing, and the newest of what is selected.
@Suite(.ownThreads) struct SelectionTests {
  private let sample = Repository.path("formats/output/sample.log")

  // MARK: Conditions that can never hold

  @Test(arguments: [
    (["--match", "msg!=x"], "there is no operator !=, only KEY=VALUE and KEY~REGEX; to exclude records"),
    (["--match", "msg!~x"], "there is no operator !~"), (["--match", "pid>=5"], "there is no operator >="),
    (["--match", "pid<=5"], "there is no operator <="), (["--match", "msg==x"], "give msg~^[=]"),
    (["--match", "msg=~x"], "give msg~^[~]"), (["--match", "msg~=x"], "give msg~[=]"),
    (["--match", "msg = x"], "has a blank around the key: write msg=VALUE"),
    (["--match", "msg~"], "the regular expression is empty"),
    (["--match", "=x"], "is neither KEY=VALUE nor"),
    (["--match", "\u{1b}!=x"], #""\x1b!=x""#),
    (["--sandbox", ""], "the value is empty; to select records without a sandbox, give --match sandbox="),
    (["--container", " "], "give --match container="), (["--source", ""], "give --match source="),
    (["--since", "@2", "--until", "@1"], "--since is later than --until"),
    (["--output-format", "csv", "--fields", "time, ,msg"], "has an empty name"),
    (["--output-format", "csv", "--fields", "msg, msg"], "\"msg\" is named twice"),
  ])
  func impossibleConditionsAreRefused(_ options: [String], _ message: String) throws {
    let result = try Tool.run(options + [sample])
    #expect(result.status == 2 && result.output.isEmpty)
    #expect(result.errorText.contains(message), "\(result.errorText)")
  }

  @Test(arguments: [
    (["--match", "msg~[=]|^sandbox"], [1]), (["--match", "container="], [1, 3]),
    (["--match", "data.subsystem=rpc"], [3]),
    (["--match", "subsystem=rpc"], [3]), (["--since", "@1", "--until", "@1772686914.15"], [1]),
    (["--match", "req=container_id:\"c1\""], [2]),
  ])
  func whatLooksAlikeIsTaken(_ options: [String], _ lines: [Int]) throws {
    let result = try Tool.run(options + ["--output-format", "ndjson", "--fields", " line ", sample])
    #expect(
      result.text == lines.map { "{\"line\":\($0)}\n" }.joined() && result.errorText.isEmpty, "\(result)")
  }

  // MARK: Selections that select nothing

  @Test(arguments: [
    (["--sandbox", "nosuch"], "--sandbox nosuch; found 1 sandbox: 3f2a"),
    (["--container", "a", "--container", "b"], "--container a or --container b; found 1 container: c1"),
    (["--source", "x"], "--source x; found 3 sources: virtcontainers, runtime, agent"),
    (["--level", "critical"], "--level critical; found 1 info, 1 warning, 1 error"),
    (["--since", "@1999999999"], "; the newest record is from 2026-03-05T05:01:55.000000001Z"),
    (["--until", "@1"], "; the oldest record is from 2026-03-05T05:01:54.123456789Z"),
    (["--match", "pid=99"], "--match pid=99; the field \"pid\" has 2 values: 4211, 1"),
    (["--match", "subsystem~zz"], "has 2 values: sandbox, rpc; 1 record lacks it"),
    (["--match", "msg=sandbox"], "KEY~REGEX finds a part of it"),
    (["--match", "Msg=x"], "no record has the field \"Msg\"; found msg, level, source"),
    (["--match", "subsystm=rpc"], "did you mean \"subsystem\"?"),
    (["--sandbox", "x\u{1b}[2J\u{202e}"], #"--sandbox x\x1b[2J\u202e; "#),
    (
      ["--since", "2026-03-05T05:01:54.9Z", "--level", "critical"],
      "the whole selection: --since 2026-03-05T05:01:54.9Z left out 2, --level critical left out 1; "
    ),
  ])
  func emptySelectionListsExistingValues(_ options: [String], _ message: String) throws {
    for more in [[], ["--reorder-window", "1s"], ["--check-only"], ["--keep-going", "--threads", "1"]] {
      let result = try Tool.run(options + more + ["--output-format", "ndjson", sample])
      // As with journalctl, to find nothing is no failure.
      #expect(result.status == 0 && result.output.isEmpty)
      #expect(
        result.errorText.hasPrefix("kata-log-parser: warning: no record matched "), "\(result.errorText)")
      #expect(result.errorText.contains(message), "\(result.errorText)")
      #expect(result.errorText.split(separator: "\n").count == 1, "\(result.errorText)")
    }
    #expect(try Tool.run(options + ["--quiet", sample]).errorText.isEmpty)
    let document = try Tool.run(options + ["--output-format", "json", sample])
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: document.output) }
    #expect(try Tool.run(options + ["--error-if-no-records", sample]).status == 1)
  }

  @Test func nonemptySelectionExplainsNothing() throws {
    for options in [["--sandbox", "3f"], ["--level", "error"], ["--match", "pid=1"]] {
      #expect(try Tool.run(options + [sample]).errorText.isEmpty)
    }
    let empty = try Tool.run(["--sandbox", "x", "--output-format", "json", "/dev/null"])
    #expect(!empty.errorText.contains("no record matched"))
  }

  private static func line(_ number: Int, _ more: String) -> String {
    let time = String(format: "2026-03-05T05:%02d:%02d.0Z", number / 60 % 60, number % 60)
    return "time=\"\(time)\" level=info msg=m name=n pid=1 source=s \(more)\n"
  }

  @Test func longListsAreCut() throws {
    let folder = try TemporaryFolder()
    let few = try folder.write("few", (0..<8).map { Self.line($0, "sandbox=s\($0)") }.joined())
    let result = try Tool.run(["--keep-going", "--sandbox", "nosuch", few])
    #expect(
      result.errorText.contains("found 8 sandboxes: s0, s1, s2, s3, s4 and 3 more\n"), "\(result.errorText)")
    // A guest can name a new sandbox in each record, and ones that are long.
    let long = String(repeating: "x", count: 1000)
    let many = try folder.write(
      "many", (0..<6000).map { Self.line($0, "sandbox=\(long)\($0)") }.joined())
    let bounded = try Tool.run(["--keep-going", "--sandbox", "nosuch", many])
    #expect(bounded.errorText.contains("found at least 4096 sandboxes: xxx"), "\(bounded.errorText)")
    #expect(bounded.errorText.utf8.count < 600, "\(bounded.errorText)")
    let id = String(repeating: "3f2a", count: 16)
    let ids = try folder.write("ids", Self.line(1, "sandbox=\(id)"))
    #expect(
      try Tool.run(["--sandbox", "no", ids]).errorText.hasSuffix("found 1 sandbox: \(id.prefix(12))\n"))
  }

  @Test(arguments: ["csv", "ndjson"], ["1", "3"])
  func aFieldThatNoRecordHasIsReported(_ format: String, _ threads: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "log", (0..<3000).map { Self.line($0, "rare=\($0 == 2900 ? 1 : 0)x number=\($0)") }.joined())
    let options = [
      "--output-format", format, "--threads", threads, "--fields",
      "time, numbr ,rare,\u{1b},data.rare,pid,container",
    ]
    for more in [[], ["--reorder-window", "1s"], ["--match", "rare=1x"]] {
      let result = try Tool.run(options + more + [path])
      let lines = result.errorText.split(separator: "\n")
      #expect(result.status == 0 && lines.count == 2, "\(result.errorText)")
      #expect(
        lines.first?.hasPrefix(
          "kata-log-parser: warning: no \(more.first == "--match" ? "selected " : "")record has the field \"numbr\" (of --fields); found time, level, msg,"
        ) ?? false)
      #expect(
        lines.first?.hasSuffix("count, delta and 2 extra fields: number, rare; did you mean \"number\"?")
          ?? false,
        "\(result.errorText)")
      #expect(lines.last?.contains(#"the field "\x1b" (of"#) ?? false)
    }
    // Nothing was written: that is another matter.
    let nothing = try Tool.run(options + ["--sandbox", "x", path])
    #expect(nothing.errorText.contains("no record matched") && !nothing.errorText.contains("numbr"))
  }

  @Test func emptyJournalSelectionListsWhatExists() throws {
    let folder = try TemporaryFolder()
    let path = try Journal.make(
      ["b", "a", "kubelet"].enumerated().map {
        Journal.entry($0, Journal.text([("SYSLOG_IDENTIFIER", $1), ("MESSAGE", "m")]))
      },
      in: folder)
    func said(_ arguments: [String]) throws -> String {
      let result = try Tool.run(["--journal-file", path] + arguments)
      #expect(result.status == 0 && !result.text.contains("Record"))
      return result.errorText
    }
    let start = "kata-log-parser: warning: no journal entry matched "
    #expect(try said([]) == start + "--identifier kata; found 3 identifiers: a, b, kubelet\n")
    #expect(try said(["-t", "a", "--unit", "u"]) == start + "--identifier a, --unit u\n")
    #expect(
      try said(["-t", "a", "--since", "@1999999999"]) == start
        + "--identifier a, --since 2033-05-18T03:33:19Z\n")
    #expect(try said(["-n", "0"]).isEmpty && said(["--quiet"]).isEmpty)
    #expect(
      try said(["-t", "a", "--level", "error"]).contains("no record matched --level error; found 1 without"))
    // Behind a cursor there is often nothing new.
    #expect(try said(["--cursor-file", folder.url.appendingPathComponent("cursor").path]).isEmpty)
  }

  // MARK: The newest of what is selected

  private static func entries(_ count: Int) -> [Data] {
    (0..<count).map { number in
      // Level, a field, the agent's own record, and some that cannot be read or are journald's reports of loss.
      switch number % 7 {
      case 0:
        return Journal.entry(
          number,
          Journal.text([("SYSLOG_IDENTIFIER", "kata"), ("PRIORITY", "3"), ("MESSAGE", "error \(number)")]))
      case 1:
        let agent =
          #"{"msg":"agent \#(number)","level":"ERRO","ts":"2026-03-05T05:01:54.9Z","pid":"1","name":"kata-agent","source":"agent"}"#
        return Journal.entry(
          number, Journal.text([("SYSLOG_IDENTIFIER", "kata"), ("PRIORITY", "6"), ("MESSAGE", agent)]))
      case 2:
        return Journal.entry(
          number,
          Journal.text([
            ("MESSAGE", "Suppressed 2 messages from kata.service"), ("SYSLOG_IDENTIFIER", "systemd-journald"),
            ("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"), ("N_DROPPED", "2"),
          ]))
      default:
        return Journal.entry(
          number,
          Journal.text([
            ("SYSLOG_IDENTIFIER", "kata"), ("PRIORITY", "6"), ("MESSAGE", "info \(number)"),
            ("PARITY", "\(number % 2)"),
          ]))
      }
    }
  }

  private func messages(_ arguments: [String]) throws -> [String] {
    let result = try Tool.run(
      arguments + ["--output-format", "ndjson", "--fields", "msg", "--reorder-window", "0"])
    #expect(result.status == 0, "\(result.errorText)")
    return try result.output.split(separator: 0x0a).compactMap {
      (try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any])?["msg"] as? String
    }
  }

  @Test(arguments: [
    ["--level", "error"], ["--match", "msg~^error"], ["--match", "parity=1"], ["--source", "agent"],
    ["--level", "error", "--match", "msg~7"], ["--level", "info", "--since", "@1772686914.1"],
    ["--level", "error", "--until", "@1772686914.1"],
    ["--match", "parity=0", "--since", "@1772686914.1", "--until", "@1772686914.15"],
    ["--source", "nosuch"], ["--level", "error", "--since", "@1772686999"], [],
  ])
  func newestAreOfWhatIsSelected(_ selection: [String]) throws {
    let folder = try TemporaryFolder()
    let all = Self.entries(300)
    let files = try [0, 1].map { part in
      try Journal.make(
        all.indices.filter { $0 % 2 == part }.map { all[$0] }, in: folder, name: "part\(part).journal")
    }
    let read = files.flatMap { ["--journal-file", $0] } + selection
    let whole = try messages(read)
    for count in [0, 1, 2, 5, 30, 1000] {
      #expect(try messages(read + ["--lines", "\(count)"]) == whole.suffix(count), "\(count)")
    }
    // A cursor tells where to begin; the newest are not asked for any more.
    let cursor = folder.url.appendingPathComponent("cursor").path
    let first = try messages(read + ["-n", "5", "--cursor-file", cursor])
    #expect(first == whole.suffix(5))
    if !first.isEmpty { #expect(try messages(read + ["-n", "5", "--cursor-file", cursor]).isEmpty) }
  }

  @Test func followingBeginsWithTheNewestOfWhatIsSelected() async throws {
    let folder = try TemporaryFolder()
    let path = try Journal.make(Self.entries(100), in: folder)
    let run = try Follower([
      "--journal-file", path, "--follow", "-n", "3", "--level", "error", "--output-format", "ndjson",
      "--fields", "msg",
    ])
    for message in ["agent 92", "error 98", "agent 99"] {
      #expect(try await run.line() == "{\"msg\":\"\(message)\"}")
    }
    #expect(run.stop(SIGTERM) == 0 && run.rest().isEmpty)
  }
}
