import Foundation
import TestSupport
import Testing

/// The journal in place, against systemd's own tools and a real journald.
@Suite(.ownThreads) struct JournalTests {
  private static let logfmt =
    "time=\"2026-03-05T05:01:54.5Z\" level=info msg=whole name=containerd-shim-v2 pid=7 source=virtcontainers"

  private static func entries() -> [Data] {
    (0..<300).map { number in
      var fields = Journal.text([("SYSLOG_IDENTIFIER", "kata"), ("PRIORITY", "\(number % 8)")])
      switch number % 6 {
      case 0: fields += Journal.text([("MESSAGE", logfmt)])
      case 1: fields.append(("MESSAGE", Data([0x68, 0xff, 0x00, 0x0a, 0x69])))
      case 2: fields += Journal.text([("MESSAGE", "big \(number) " + String(repeating: "x", count: 70_000))])
      case 3:
        fields += Journal.text([("MESSAGE", "n \(number)"), ("TAG", "a"), ("TAG", "b"), ("CODE_LINE", "3")])
      case 4:
        fields += Journal.text([
          ("MESSAGE", "two\nlines \(number)"), ("NAME", "runtime-rs"), ("SOURCE", "hv"),
        ])
      default:
        fields += Journal.text([("MESSAGE", "other \(number)"), ("_SYSTEMD_UNIT", "containerd.service")])
      }
      if number % 50 == 49 { fields[0].1 = Data("systemd".utf8) }
      return Journal.entry(number, fields)
    }
  }

  private func records(_ arguments: [String]) throws -> [[String: Any]] {
    let result = try Tool.run(arguments + ["--output-format", "ndjson", "--reorder-window", "0"])
    #expect(result.status == 0, "\(result.errorText)")
    return try result.output.split(separator: 0x0a).compactMap {
      try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any]
    }
  }

  /// A field as text: journalctl gives bytes that are not text as numbers.
  private func shown(_ value: Any?) -> String? {
    if let text = value as? String { return text }
    if let bytes = value as? [Int] { return String(decoding: bytes.map { UInt8($0) }, as: UTF8.self) }
    if let texts = value as? [String] { return texts.first }
    return nil
  }

  @Test func everyEntryIsTheOneThatJournalctlShows() throws {
    let folder = try TemporaryFolder()
    let path = try Journal.make(Self.entries(), in: folder)
    let theirs = try Journal.read(path, ["--identifier=kata"])
    let ours = try records(["--journal-file", path])
    #expect(ours.count == theirs.count && ours.count == 294)
    for (our, their) in zip(ours, theirs) {
      let message = shown(their["MESSAGE"])
      if message == Self.logfmt {
        #expect(our["msg"] as? String == "whole" && our["pid"] as? Int == 7)
        continue
      }
      #expect(our["msg"] as? String == message)
      #expect(our["name"] as? String == shown(their["NAME"]) ?? shown(their["SYSLOG_IDENTIFIER"]))
      #expect(our["source"] as? String == shown(their["SOURCE"]))
      for (name, value) in their where name.hasPrefix("_") && !name.hasPrefix("__") || name.hasPrefix("CODE_")
      {
        #expect(our[name] as? String == shown(value), "\(name)")
      }
      #expect((our["tag.1"] as? String) == (their["TAG"] as? [String])?.last)
    }
  }

  @Test(arguments: [
    ["--lines=5"], ["--identifier=systemd"], ["--since=@1772686914.1"], ["--until=@1772686914.1"],
    ["--unit=containerd"], ["--unit=containerd.service", "--lines=3"],
    ["--since=@1772686914.05", "--until=@1772686914.06"],
    ["--boot=11112222333344445555666677778888", "--lines=2"],
    ["--boot=0", "--lines=1"], ["-b", "-0", "--lines=1"], ["--since=2026-03-05 05:01:54.2 UTC"],
  ])
  func selectsAsJournalctlDoes(_ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    let path = try Journal.make(Self.entries(), in: folder)
    // Of journalctl's unit matches those for processes of the unit apply here.
    let identifiers = arguments.contains { $0.hasPrefix("--identifier") } ? [] : ["--identifier=kata"]
    let theirs = try Journal.read(path, arguments + identifiers)
    let ours = try records(["--journal-file", path] + arguments)
    #expect(ours.count == theirs.count && !ours.isEmpty)
    for (our, their) in zip(ours, theirs) where shown(their["MESSAGE"]) != Self.logfmt {
      #expect(our["msg"] as? String == shown(their["MESSAGE"]))
    }
  }

  @Test func filesAndFoldersAreMerged() throws {
    let folder = try TemporaryFolder()
    let all = (0..<100).map {
      Journal.entry($0, Journal.text([("MESSAGE", "m \($0)"), ("SYSLOG_IDENTIFIER", "kata")]))
    }
    let even = try Journal.make(
      stride(from: 0, to: 100, by: 2).map { all[$0] }, in: folder, name: "a.journal")
    let odd = try Journal.make(stride(from: 1, to: 100, by: 2).map { all[$0] }, in: folder, name: "b.journal")
    let expected = (0..<100).map { "m \($0)" }
    #expect(
      try records(["--journal-file", even, "--journal-file", odd]).map { $0["msg"] as? String } == expected)
    #expect(try records(["--journal-directory", folder.url.path]).map { $0["msg"] as? String } == expected)
  }

  @Test func cursorFileResumesAfterTheLastRecord() throws {
    let folder = try TemporaryFolder()
    let path = try Journal.make(Self.entries(), in: folder)
    let cursor = folder.url.appendingPathComponent("cursor").path
    let first = try records(["--journal-file", path, "--cursor-file", cursor, "--until", "@1772686914.1"])
    let second = try records(["--journal-file", path, "--cursor-file", cursor])
    #expect(!first.isEmpty && first.count + second.count == 294)
    #expect(try records(["--journal-file", path, "--cursor-file", cursor]).isEmpty)
    _ = try folder.write("cursor", "nonsense\n")
    let bad = try Tool.run(["--journal-file", path, "--cursor-file", cursor])
    #expect(bad.status == 1 && bad.errorText.contains("not a journal cursor: "))
  }

  /// Killed at any moment and started again, a run that notes its cursor shows every record at least once.
  @Test func killedRunsLoseNothing() async throws {
    let folder = try TemporaryFolder()
    let all = (0..<3000).map {
      Journal.entry($0, Journal.text([("MESSAGE", "m \($0)"), ("SYSLOG_IDENTIFIER", "kata")]))
    }
    let path = try Journal.make(all, in: folder)
    let cursor = folder.url.appendingPathComponent("cursor").path
    var generator = SplitMix64(state: 7)
    var seen: Set<String> = []
    var rounds = 0
    while seen.count < 3000, rounds < 60 {
      rounds += 1
      let run = try Follower([
        "--journal-file", path, "--follow", "--cursor-file", cursor, "--output-format", "ndjson", "--fields",
        "msg",
      ])
      // The last round reads to the end; a killed one may have noted nothing yet.
      let count = rounds > 8 ? 3000 : Int(generator.next() % 800)
      for _ in 0..<count where seen.count < 3000 { seen.insert(try await run.line()) }
      #expect(run.stop(SIGKILL) == -SIGKILL)
      // What stands in the pipe was written out, and may be noted as such.
      seen.formUnion(run.rest())
    }
    #expect(seen.count == 3000)
  }

  @Test func withoutAJournalItSaysWhy() throws {
    let missing = try Tool.run(["--journal-file", "/nonexistent/x.journal"])
    #expect(missing.status == 1 && missing.errorText.contains("there is no such journal"))
    let folder = try TemporaryFolder()
    let noJournal = try Tool.run(["--journal-file", try folder.write("x.journal", "this is no journal")])
    #expect(noJournal.status == 1 && noJournal.errorText.contains("x.journal"), "\(noJournal.errorText)")
  }

  @Test(.enabled(if: getuid() == 0, "only root can become a user who may not read a journal"))
  func aJournalThatMayNotBeReadNamesTheGroup() throws {
    let folder = try TemporaryFolder()
    let path = try Journal.make([Self.entries()[0]], in: folder)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.url.path)
    let denied = try Tool.run(
      "/usr/bin/setpriv", ["--reuid=65534", "--clear-groups", Tool.path, "--journal-file", path])
    #expect(denied.status == 1 && denied.errorText.contains("systemd-journal"), "\(denied.errorText)")
  }

  @Test(.enabled(if: PrivateJournald.isPossible, "a mount namespace and systemd-journald are needed"))
  func followsARealJournaldThroughRotation() async throws {
    let journald = try PrivateJournald()
    try journald.send("MESSAGE=first\nSYSLOG_IDENTIFIER=kata\nPRIORITY=4\nSOURCE=hv\n")
    let run = try Follower(
      ["--journal", "--follow", "--output-format", "ndjson", "--fields", "msg,level,source"],
      prefix: journald.prefix)
    #expect(try await run.line() == "{\"msg\":\"first\",\"level\":\"warning\",\"source\":\"hv\"}")
    for round in 0..<4 {
      let entries = (0..<50).map { "MESSAGE=r\(round) \($0)\nSYSLOG_IDENTIFIER=kata\nPRIORITY=6\n\n" }
        .joined()
      try journald.send(entries)
      if round % 2 == 0 { try journald.rotate() }
      for number in 0..<50 {
        #expect(try await run.line() == "{\"msg\":\"r\(round) \(number)\",\"level\":\"info\"}")
      }
    }
    #expect(try idles(run.identifier))
    #expect(run.stop(SIGINT) == 0)
    let whole = try journald.run(Tool.path, ["--journal", "--output-format", "ndjson", "--fields", "msg"])
    #expect(whole.text.split(separator: "\n").count == 201, "\(whole.errorText)")
  }

  /// Whether a follower with nothing to do does next to nothing: it looks at the journal now and then, and a look costs
  /// no more than 2 % of one processor until the next. It may still be at its last entries: one quiet stretch is
  /// enough.
  private func idles(_ process: Int32) throws -> Bool {
    let looks = 10
    let interval = Duration.milliseconds(30)
    for _ in 0..<20 {
      let start = ContinuousClock.now
      let before = try Usage(of: process)
      var now = before
      // On a busy machine ten looks take longer, and no more processor time.
      while now.sleeps < before.sleeps + looks {
        guard ContinuousClock.now - start < .seconds(120) else { return now.time == before.time }
        poll(nil, 0, 20)
        now = try Usage(of: process)
      }
      let sleeps = now.sleeps - before.sleeps
      if now.time - before.time < interval * sleeps / 50,
        ContinuousClock.now - start > interval * (sleeps - 1)
      {
        return true
      }
    }
    return false
  }

  /// What a process has used so far.
  private struct Usage {
    /// On a processor.
    var time: Duration
    /// How often it went to sleep by itself.
    var sleeps: Int

    init(of process: Int32) throws {
      let folder = "/proc/\(process)"
      let times = try String(contentsOfFile: "\(folder)/schedstat", encoding: .utf8)
      time = .nanoseconds(try #require(times.split(separator: " ").first.flatMap { Int($0) }))
      let status = try String(contentsOfFile: "\(folder)/status", encoding: .utf8)
      let line = try #require(
        status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") })
      sleeps = try #require(line.split(separator: "\t").last.flatMap { Int($0) })
    }
  }

  /// journald's reports of loss are read beside what was asked for, and are none of it.
  @Test func newestEntriesAreThoseAskedFor() throws {
    let folder = try TemporaryFolder()
    let loss = Journal.text([
      ("MESSAGE", "Suppressed 2 messages from kata.service"), ("SYSLOG_IDENTIFIER", "systemd-journald"),
      ("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"), ("N_DROPPED", "2"),
    ])
    let entries = (0..<8).map { number in
      Journal.entry(
        number,
        number % 4 > 1 ? loss : Journal.text([("MESSAGE", "m \(number)"), ("SYSLOG_IDENTIFIER", "kata")]))
    }
    let path = try Journal.make(entries, in: folder)
    for (lines, messages) in [(1, [5]), (2, [4, 5]), (3, [1, 4, 5]), (9, [0, 1, 4, 5]), (0, [])] {
      let ours = try records(["--journal-file", path, "--lines", "\(lines)"])
      #expect(ours.map { $0["msg"] as? String } == messages.map { "m \($0)" }, "\(lines)")
    }
  }

  @Test func followsAFileNamedFromTheFolderItIsIn() async throws {
    let folder = try TemporaryFolder()
    let kata = Journal.text([("MESSAGE", "m"), ("SYSLOG_IDENTIFIER", "kata")])
    _ = try Journal.make([Journal.entry(0, kata)], in: folder)
    let run = try Follower(
      ["--journal-file", "test.journal", "--follow", "--output-format", "ndjson", "--fields", "msg"],
      prefix: ["/usr/bin/env", "-C", folder.url.path])
    #expect(try await run.line() == "{\"msg\":\"m\"}")
    // It waits until it is told to end.
    #expect(run.stop(SIGTERM) == 0)
  }

  @Test func countsWhatJournaldSuppressed() throws {
    let folder = try TemporaryFolder()
    let loss = Journal.text([
      ("MESSAGE", "Suppressed 12 messages from kata.service"), ("SYSLOG_IDENTIFIER", "systemd-journald"),
      ("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"), ("N_DROPPED", "12"),
    ])
    let kata = Journal.text([("MESSAGE", "m"), ("SYSLOG_IDENTIFIER", "kata")])
    let path = try Journal.make(
      [Journal.entry(0, kata), Journal.entry(1, loss), Journal.entry(2, kata)], in: folder)
    let result = try Tool.run(["--journal-file", path, "--stats", "--output-format", "ndjson"])
    #expect(result.text.split(separator: "\n").count == 2)
    #expect(result.errorText.contains("12 messages suppressed by journald"))
    #expect(result.errorText.contains("\"suppressed\":12"))
  }
}
