import Foundation
import TestSupport
import Testing

/// What a run does with its inputs and outputs, through the real binary.
@Suite(.ownThreads) struct RunTests {
  private let sample = Repository.path("formats/output/sample.log")

  private static func line(_ number: Int, _ text: String = "m", pid: Int = 1) -> String {
    let time = String(
      format: "2026-03-05T05:%02d:%02d.%03dZ", number / 60_000 % 60, number / 1000 % 60, number % 1000)
    return "time=\"\(time)\" level=info msg=\"\(text)\" name=n pid=\(pid) source=s number=\(number)\n"
  }

  @Test(arguments: ["gzip", "xz", "zstd"])
  func readsCompressedInput(_ program: String) throws {
    let folder = try TemporaryFolder()
    let expected = try Tool.run(["--output-format", "ndjson", "--fields", "time,msg", sample]).output
    let packed = folder.url.appendingPathComponent("packed").path
    _ = try Tool.run("/bin/bash", ["-c", "\(program) -c <'\(sample)' >'\(packed)'"])
    #expect(try Tool.run(["--output-format", "ndjson", "--fields", "time,msg", packed]).output == expected)
    let pipe = try "cat '\(packed)' | '\(Tool.path)' --output-format ndjson --fields time,msg -"
    #expect(try Tool.run("/bin/bash", ["-c", pipe]).output == expected)
    let cut = try "head -c 60 '\(packed)' >'\(packed).cut'; '\(Tool.path)' --check-only '\(packed).cut'"
    let result = try Tool.run("/bin/bash", ["-c", cut])
    #expect(result.status == 1 && result.errorText.contains("\(program) failed"), "\(result.errorText)")
  }

  @Test func sortsOverAllInputs() throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(state: 3)
    let numbers = (0..<5000).shuffled(using: &generator)
    let first = try folder.write("a", numbers[..<2500].map { Self.line($0) }.joined())
    let second = try folder.write("b", numbers[2500...].map { Self.line($0) }.joined())
    for threads in ["1", "3"] {
      let result = try Tool.run([
        "--threads", threads, "--output-format", "csv", "--fields", "number,count,delta", first, second,
      ])
      let expected = (0..<5000).map { "\($0),\($0 + 1),\($0 == 0 ? 0 : 1_000_000)\n" }
      #expect(result.text == "number,count,delta\n" + expected.joined())
    }
  }

  @Test func anyNumberOfThreadsGivesTheSameBytes() throws {
    let folder = try TemporaryFolder()
    // A thread looks through 4 MiB at a time: three of these, and more segments.
    let padding = String(repeating: "x", count: 400)
    let text = (0..<20_000).map { Self.line($0, "text \($0 * 7) \(padding)") }.joined()
    #expect(text.utf8.count > 9 << 20)
    let path = try folder.write("log", text)
    for format in ["json", "yaml", "toml", "xml", "csv", "text"] {
      let one = try Tool.run(["--threads", "1", "--output-format", format, path]).output
      #expect(try Tool.run(["--threads", "4", "--output-format", format, path]).output == one)
      #expect(
        try Tool.run(["--threads", "1", "--keep-going", "--output-format", format, path]).output == one)
    }
  }

  @Test func outputFileAppearsWhole() throws {
    let folder = try TemporaryFolder()
    let target = folder.url.appendingPathComponent("out.json").path
    #expect(try Tool.run(["--output-format", "json", "--output-file", target, sample]).status == 0)
    let mode = try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let before = try Data(contentsOf: URL(fileURLWithPath: target))
    let bad = try folder.write("bad.log", Self.line(1) + "broken\n")
    #expect(try Tool.run(["--output-format", "json", "--output-file", target, bad]).status == 1)
    #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == before)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == [
        "bad.log", "out.json",
      ])
    _ = try Tool.run(["--output-file", target, "--output-file-mode", "0644", sample])
    #expect(try FileManager.default.attributesOfItem(atPath: target)[.posixPermissions] as? Int == 0o644)
  }

  @Test func keepGoingReportsAndWritesTheRest() throws {
    let folder = try TemporaryFolder()
    let text = (0..<30).map { $0 % 3 == 1 ? "bad\n" : Self.line($0) }.joined()
    let path = try folder.write("log", text)
    let result = try Tool.run([
      "--strict", "--keep-going", "--max-errors", "2", "--stats", "--output-format", "ndjson", path,
    ])
    #expect(result.status == 1)
    #expect(result.text.split(separator: "\n").count == 30)
    #expect(result.text.contains("\"msg\":\"bad\""))
    #expect(result.errorText.contains("log:2: the time is missing"))
    #expect(!result.errorText.contains("log:8:"))
    #expect(result.errorText.contains("8 more bad records were not reported"))
    #expect(result.errorText.contains("\"bad\":10") && result.errorText.contains("\"mended\":10"))
    let stopped = try Tool.run(["--strict", "--output-format", "ndjson", path])
    #expect(stopped.status == 1 && stopped.errorText.contains("log:2: the time is missing"))
  }

  @Test func tooLongRecordsAreLeftOut() throws {
    let folder = try TemporaryFolder()
    let long = Self.line(2, String(repeating: "x", count: 5000))
    let path = try folder.write("log", Self.line(1) + long + Self.line(3))
    let result = try Tool.run([
      "--max-record-size", "4K", "--output-format", "csv", "--fields", "number", path,
    ])
    #expect(result.text == "number\n1\n3\n")
    #expect(result.status == 1 && result.errorText.contains("log:2: a record of 50"))
    #expect(result.errorText.contains("--max-record-size"))
    #expect(try Tool.run(["--max-record-size", "8K", "--check-only", path]).status == 0)
  }

  /// Every way in which the inputs say that something is missing from them.
  @Test(arguments: [
    ("Suppressed 12 messages from kata.service", "\"suppressed\":12"),
    ("slog-async: logger dropped messages due to channel overflow, count: 7", "\"dropped\":7"),
    (
      #"{"msg":"slog-async: logger dropped messages due to channel overflow","count":"7","ts":"2026-03-05T05:02:03Z"}"#,
      "\"dropped\":7"
    ),
    (
      #"{"msg":"slog-async: logger dropped messages due to channel overflow","ts":"2026-03-05T05:02:03Z"}"#,
      "\"dropped\":1"
    ),
    (#"{"__REALTIME_TIMESTAMP":"1772686914000000","MESSAGE":null}"#, "\"truncated\":1"),
    (#"time="2026-03-05T05:01:54Z" level=info msg="cut"#, "\"truncated\":1"),
    (#"{"msg":"a","level":"IN[    1.234568] random: initFO","ts":"2026-03-05T05:01:59.5Z"}"#, "\"raw\":1"),
    ("nothing that is known", "\"raw\":1"),
  ])
  func countsLosses(_ line: String, _ count: String) throws {
    let folder = try TemporaryFolder()
    let isObject = line.hasPrefix("{")
    let prefix = "Mar  5 05:01:54 node1 kata[7]: "
    let isWrapped = !isObject && count != "\"raw\":1"
    let path = try folder.write("log", "\(prefix)first\n\(isWrapped ? prefix : "")\(line)\n")
    let result = try Tool.run(["--ignore-missing-fields", "--stats", "--check-only", path])
    #expect(result.status == 0 && result.errorText.contains(count), "\(result.errorText)")
    #expect(result.errorText.contains("warning: "))
    #expect(result.errorText.contains("\"records\":2,"))
  }

  @Test func keepsWhatTheConsoleColoured() throws {
    let folder = try TemporaryFolder()
    let line = "[\u{1b}[0;32m  OK  \u{1b}[0m] Started \u{1b}[0;1;39mkata-agent.service\u{1b}[0m."
    let path = try folder.write("log", "[    0.395399] brd: module loaded\r\n\(line)\r\n")
    let result = try Tool.run([
      "--output-format", "ndjson", "--fields", "msg,source,console,kernel_time", path,
    ])
    #expect(
      result.text == """
        {"msg":"brd: module loaded","source":"vmconsole","kernel_time":"0.395399"}
        {"msg":"[  OK  ] Started kata-agent.service.","source":"vmconsole","console":"[\\u001b[0;32m  OK  \\u001b[0m] Started \\u001b[0;1;39mkata-agent.service\\u001b[0m."}

        """, "\(result.errorText)")
  }

  @Test func dropsCopies() throws {
    let folder = try TemporaryFolder()
    let text =
      Self.line(1, "a") + Self.line(1, "b") + Self.line(1, "a") + Self.line(1, "a", pid: 2)
      + Self.line(2, "a")
    let path = try folder.write("log", text)
    for extra in [[], ["--reorder-window", "1s"]] {
      let result = try Tool.run(
        ["--dedupe", "--stats", "--output-format", "csv", "--fields", "msg,pid"] + extra + [path])
      #expect(result.text == "msg,pid\na,1\nb,1\na,2\na,1\n")
      #expect(result.errorText.contains("\"duplicates\":1"))
    }
  }

  @Test(arguments: [
    (["--level", "warning"], [2, 3]), (["--level", "error"], [3]), (["--source", "agent"], [3]),
    (["--sandbox", "3f"], [1, 2, 3]), (["--container", "c"], [2]), (["--match", "subsystem=rpc"], [3]),
    (["--match", "msg~^(sandbox|cannot)"], [1, 3]), (["--match", "pid=1"], [3]),
    (["--match", "msg~a", "--match", "level=info"], [1]), (["--since", "2026-03-05 05:01:55 UTC"], [3]),
    (["--until", "2026-03-05T05:01:54.15Z"], [1]), (["--level", "critical"], []),
    (["--source", "runtime", "--source", "agent"], [2, 3]),
  ])
  func selects(_ options: [String], _ lines: [Int]) throws {
    let result = try Tool.run(options + ["--output-format", "ndjson", "--fields", "line", sample])
    #expect(result.text == lines.map { "{\"line\":\($0)}\n" }.joined())
  }

  @Test func reorderWindowSortsNearlySortedInput() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("log", [3, 1, 2, 5, 4, 9000, 8999, 1].map { Self.line($0) }.joined())
    let result = try Tool.run([
      "--reorder-window", "10ms", "--output-format", "csv", "--fields", "number", path,
    ])
    #expect(result.text == "number\n1\n2\n3\n4\n5\n1\n8999\n9000\n")
    #expect(result.errorText.contains("1 records were later than the reorder window allows"))
  }

  /// Peak memory in KiB, of a run that reads `text` again and again from a pipe.
  private func peak(_ options: String, _ records: Int, shuffled: Bool) throws -> Int {
    let generate = "python3 '\(Repository.path("Tests/Benchmarks/generate-log.py"))' \(records)"
    let code = try """
    \(generate) \(shuffled ? "| shuf" : "") | python3 -c "
    import os, resource, subprocess, sys
    subprocess.run(['\(Tool.path)', *'\(options)'.split(), '-'], check=True, stdout=subprocess.DEVNULL)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    """
    let result = try Tool.run("/bin/bash", ["-c", code])
    return try #require(
      Int(result.text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(result.errorText)")
  }

  @Test(.needs("python3", "shuf")) func memoryIsBounded() throws {
    // Sorted input: constant. Shuffled: 48 bytes a record more.
    #expect(try peak("--output-format json", 100_000, shuffled: false) < 32 << 10)
    #expect(try peak("--output-format yaml", 100_000, shuffled: true) < (32 << 10) + 100_000 * 48 / 1024)
    #expect(try peak("--output-format ndjson --reorder-window 1s", 100_000, shuffled: false) < 32 << 10)
  }

  @Test func followsAFileThroughRotation() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("log", Self.line(1))
    let follow = try Follower([
      "--follow", "--output-format", "ndjson", "--fields", "number", path,
    ])
    #expect(try await follow.line() == "{\"number\":\"1\"}")
    try follow.append(path, String(Self.line(2).prefix(20)))
    try follow.append(path, String(Self.line(2).dropFirst(20)))
    #expect(try await follow.line() == "{\"number\":\"2\"}")
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    try follow.append(path + ".1", Self.line(3))
    #expect(try await follow.line() == "{\"number\":\"3\"}")
    _ = try folder.write("log", Self.line(4))
    #expect(try await follow.line() == "{\"number\":\"4\"}")
    #expect(follow.stop(SIGTERM) == 0)
  }

  @Test func prettyLeavesOutWhatJournaldAdds() throws {
    let entry =
      #"{"__REALTIME_TIMESTAMP":"1772686914000000","_BOOT_ID":"1","_PID":"7","MESSAGE":"m","PRIORITY":"4","SYSLOG_IDENTIFIER":"kata","SUBSYSTEM":"qemu","CODE_LINE":"3"}"#
    let logfmt = "time=2026-03-05T05:01:55.0Z level=info msg=m name=n pid=1 source=s priority=9 _u=1"
    let result = try Tool.run(["--output-format", "pretty", "-"], input: Data("\(entry)\n\(logfmt)\n".utf8))
    let lines = result.text.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasSuffix(" m  subsystem=qemu"), "\(result.text)")
    #expect(lines.count == 2 && lines[1].hasSuffix(" m  _u=1  priority=9"), "\(result.text)")
  }

  @Test(.needs("script")) func coloursAreForTerminals() throws {
    let options = ["--output-format", "pretty", "--no-pager", sample]
    #expect(!(try Tool.run(options).text.contains("\u{1b}")))
    #expect(try Tool.run(["--color", "always"] + options).text.contains("\u{1b}[33m"))
    let terminal = try "script -qec \"'\(Tool.path)' \(options.joined(separator: " "))\" /dev/null"
    #expect(
      try Tool.run("/bin/bash", ["-c", "unset NO_COLOR; TERM=xterm \(terminal)"]).text.contains("\u{1b}[33m"))
    #expect(
      !(try Tool.run("/bin/bash", ["-c", "TERM=xterm NO_COLOR=1 \(terminal)"]).text.contains("\u{1b}")))
  }
}
