import Foundation
import TestSupport
import Testing

/// Whom records belong to, through the real binary: selections, summaries, explanations.
@Suite(.ownThreads) struct AttributionCommandTests {
  private static let sandbox = "83eea70082823edbf8e66ce5c683467b3c08d0e5402f31c726ef0cbb0ea3316f"
  private static let other = "9eabd2187e3d90cf1224a15ec504073acb74a47ff109f1cc1b79b48d826c56d5"
  private static let container = "c1476bc7e666fd4ca3400f86af9c8ba915a5a6456f52d7a2051cac84ca755092"

  private static func runtime(_ second: Int, _ message: String, sandbox: String, _ rest: String = "")
    -> String
  {
    "time=\"2026-03-05T05:00:\(second < 10 ? "0" : "")\(second).000000000Z\" level=info msg=\"\(message)\" name=containerd-shim-v2 pid=7 sandbox=\(sandbox) source=virtcontainers\(rest)\n"
  }

  private static func pod(_ second: Int, _ name: String, sandbox: String) -> String {
    "time=\"2026-03-05T05:00:\(second < 10 ? "0" : "")\(second).000000000Z\" level=info msg=\"RunPodSandbox for &PodSandboxMetadata{Name:\(name),Uid:51c4c1d5-f04f-8c1b-9881-8aa688a4c56d,Namespace:shop,Attempt:0,} returns sandbox id \\\"\(sandbox)\\\"\"\n"
  }

  /// A line of the runtime, the one that tells the pod of its sandbox, one of another pod, and one of the container.
  private static let log =
    runtime(1, "early", sandbox: sandbox) + pod(2, "api-1", sandbox: sandbox)
    + pod(3, "web-0", sandbox: other)
    + runtime(4, "late", sandbox: sandbox, " container=\(container)")
    + "time=\"2026-03-05T05:00:05.000000000Z\" level=error msg=\"StopContainer for \\\"\(container)\\\" failed\"\n"

  private func lines(_ options: [String], _ input: String, threads: Int = 2) throws -> (
    lines: [Int], errors: String
  ) {
    let folder = try TemporaryFolder()
    let file = try folder.write("log", input)
    let result = try Tool.run(
      options + ["--threads", "\(threads)", "--output-format", "ndjson", "--fields", "line", file])
    #expect(result.status == 0, "\(result.errorText)")
    let numbers = result.text.split(separator: "\n").compactMap { Int($0.dropFirst(8).dropLast()) }
    return (numbers, result.errorText)
  }

  @Test(arguments: [
    (["--sandbox", "83eea7"], [1, 2, 4, 5]), (["--container", "c1476"], [4, 5]),
    (["--pod", "shop/api-1"], [2, 4, 5]),
    (["--pod", "api"], [2, 4, 5]), (["--pod", "web-0"], [3]), (["--pod", "shop/"], [2, 3, 4, 5]),
    (["--pod", "other/api-1"], []), (["--two-passes", "--pod", "shop/api-1"], [1, 2, 4, 5]),
    (["--pod", "web-0", "--pod", "api-1"], [2, 3, 4, 5]), (["--pod", "api-1", "--container", "c1"], [4, 5]),
    (["--match", "pod=api-1"], [2, 4, 5]),
  ])
  func recordsAreSelectedByOwner(_ options: [String], _ expected: [Int]) throws {
    let found = try lines(options, Self.log)
    #expect(found.lines == expected, "\(found)")
    // Nothing that is not an error may look like one.
    #expect(!found.errors.contains("error"), "\(found.errors)")
  }

  @Test func earlyRecordsAreReported() throws {
    let found = try lines(["--pod", "api-1", "--stats"], Self.log)
    #expect(found.errors.contains("1 record came before the line that names its owner"), "\(found.errors)")
    #expect(found.errors.contains("--two-passes") && found.errors.contains("\"early\":1,"))
    let twice = try lines(["--pod", "api-1", "--stats", "--two-passes"], Self.log)
    #expect(twice.errors.contains("\"early\":0,") && !twice.errors.contains("warning:"), "\(twice.errors)")
    // Without a selection nobody asked.
    #expect(try lines([], Self.log).errors.isEmpty)
  }

  @Test func unknownPodListsExistingPods() throws {
    let found = try lines(["--pod", "shop/nope"], Self.log)
    #expect(found.errors.contains("--pod shop/nope; found 2 pods: shop/api-1, shop/web-0"), "\(found.errors)")
  }

  @Test(arguments: [
    (["--two-passes", "-"], "only files allow"), (["--two-passes", "--journal"], "only files allow"),
    (["--pod", ""], "the value is empty"),
    (["--summary", "--follow", "x"], "--summary is written at the end"),
    (["--summary", "--output-format", "csv", "x"], "--summary is a table, or JSON"),
    (["--explain", "0", "x"], "is neither LINE nor FILE:LINE"), (["--explain", "a", "x"], "is neither LINE"),
    (["--explain", "1", "--journal"], "needs a line of a file"),
  ])
  func whatMakesNoSenseIsRefused(_ options: [String], _ message: String) throws {
    let result = try Tool.run(options)
    #expect(result.status == 2 && result.output.isEmpty)
    #expect(result.errorText.contains(message), "\(result.errorText)")
  }

  @Test(arguments: ["ndjson", "logfmt"])
  func whatWasInferredIsMarked(_ format: String) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("log", Self.log)
    let lines = try Tool.run(["--output-format", format, file]).text.split(separator: "\n")
    #expect(lines.count == 5)
    let mark = { (parts: String) in
      format == "ndjson" ? "\"kata-log-parser-inferred\":\"\(parts)\"" : "kata-log-parser-inferred=\(parts)"
    }
    #expect(!lines[0].contains("inferred") && lines[1].contains(mark("sandbox,pod")))
    #expect(lines[3].contains(mark("pod")) && lines[4].contains(mark("container,sandbox,pod")))
  }

  @Test(arguments: ["json", "text", "csv", "toml", "xml", "yaml"])
  func classicFormatsKeepWhatTheRecordStates(_ format: String) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("log", Self.log)
    let text = try Tool.run(["--lenient", "--output-format", format, file]).text
    let strict = try Tool.run(["--ignore-missing-fields", "--output-format", format, file]).text
    #expect(
      !strict.contains("inferred") && !strict.contains("pod_namespace") && !text.contains("pod_namespace"))
    #expect(strict.contains("early"))
  }

  @Test(arguments: [1, 2, 4])
  func outputDoesNotDependOnThreadsOrPlan(_ threads: Int) throws {
    let folder = try TemporaryFolder()
    // More than one piece of a file that is in order.
    var log = Self.log
    for number in 0..<4000 {
      log +=
        "time=\"2026-03-05T06:00:00.\(String(format: "%06d", number))000Z\" level=info msg=\"StopContainer for \\\"\(Self.container)\\\" again, \(number)\"\n"
    }
    let file = try folder.write("log", log)
    let sorted = try Tool.run(["--threads", "\(threads)", "--output-format", "logfmt", file]).text
    let piped = try Tool.run(
      ["--threads", "\(threads)", "--output-format", "logfmt", "-"], input: Data(log.utf8)
    ).text
    #expect(sorted == piped && sorted.split(separator: "\n").count == 4005)
    #expect(sorted.split(separator: "\n").allSatisfy { $0.contains("pod=") || $0.contains("early") })
  }

  // MARK: Reports

  @Test func summaryListsFailedSandboxesFirst() throws {
    let file = Repository.path("examples/sample/node.log")
    let result = try Tool.run(["--summary", "--output-format", "json", file])
    #expect(result.status == 0 && result.errorText.isEmpty, "\(result.errorText)")
    let document = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
    let sandboxes = try #require(document["sandboxes"] as? [[String: Any]])
    #expect(sandboxes.map { $0["pod"] as? String } == ["cart-0", "web-0"])
    let (failed, ready) = (sandboxes[0], sandboxes[1])
    #expect(failed["state"] as? String == "failed" && failed["runtime"] as? String == "go")
    #expect(failed["pod_namespace"] as? String == "shop" && failed["time_to_ready"] == nil)
    #expect((failed["first_error"] as? String)?.hasPrefix("the agent did not answer: dial vsock") == true)
    #expect(failed["last_error_time"] as? String == "2026-03-05T05:10:34.911702Z")
    let counts = try #require(failed["errors_by_source"] as? [[String: Any]])
    #expect(counts.compactMap { $0["count"] as? Int }.reduce(0, +) == failed["errors"] as? Int)
    #expect(ready["state"] as? String == "ready" && ready["time_to_ready"] as? Int == 1_097_462_000)
    #expect((ready["containers"] as? [[String: String]])?.count == 1)
    let all = (sandboxes + (document["others"] as? [[String: Any]] ?? [])).compactMap {
      $0["records"] as? Int
    }
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    #expect(all.reduce(0, +) == lines.count)
    let flat = try Tool.run(["--summary", "--output-format", "ndjson", file]).text.split(separator: "\n")
    #expect(flat.count == 3 && flat[0].contains("\"pod\":\"cart-0\""))
  }

  @Test func aSummaryObeysTheSelectionAndShowsNoControls() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write(
      "log",
      Self.log
        + #"{"time":"2026-03-05T05:01:00Z","level":"error","msg":"x","sandbox":"s\u001b[2J","source":"a\u202eb"}"#
        + "\n")
    let all = try Tool.run(["--summary", file]).text
    #expect(all.contains(#"s\x1b[2J"#) && all.contains(#"a\u202eb"#) && !all.contains("\u{1b}"), "\(all)")
    let one = try Tool.run(["--summary", "--pod", "web-0", file]).text
    #expect(one.contains("shop/web-0") && !one.contains("api-1"), "\(one)")
    let none = try Tool.run(["--summary", "--pod", "nope", file])
    #expect(none.text.contains("no record names a sandbox") && none.errorText.contains("found 2 pods"))
  }

  @Test(arguments: [
    (1, ["read as", "logfmt", "sandbox           83eea7"]),
    (5, ["from the text of the message", "from earlier records with this id", "api-1"]),
  ])
  func explanationNamesTheSourceOfEachValue(_ line: Int, _ parts: [String]) throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("log", Self.log)
    let result = try Tool.run(["--explain", "\(line)", file])
    #expect(result.status == 0 && result.text.hasPrefix("\(file):\(line)\n"), "\(result.errorText)")
    for part in parts { #expect(result.text.contains(part), "\(result.text)") }
    let named = try Tool.run(["--explain", "log:\(line)", file, Repository.path("examples/sample/shim.log")])
    #expect(named.text == result.text)
    let missing = try Tool.run(["--explain", "6", file])
    #expect(missing.status == 1 && missing.errorText.contains("the last one ends in line 5"))
  }

  // MARK: The journal

  @Test(.enabled(if: PrivateJournald.isPossible))
  func theRustRuntimeIsFoundInARealJournal() throws {
    let journald = try PrivateJournald()
    let entries = (0..<6).map { number in
      let owner = number % 2 == 0 ? Self.sandbox : Self.other
      return """
        SYSLOG_IDENTIFIER=kata
        PRIORITY=6
        MESSAGE=step \(number)
        NAME=kata-runtime
        SOURCE=\(owner)
        SUBSYSTEM=hypervisor
        PID=\(100 + number % 2)
        """
    }
    let pod =
      "SYSLOG_IDENTIFIER=containerd\nPRIORITY=6\nMESSAGE="
      + Self.pod(1, "api-1", sandbox: Self.sandbox).dropLast()
    try journald.send(([pod] + entries).joined(separator: "\n\n"))
    _ = try journald.run("/usr/bin/journalctl", ["--sync"])
    func messages(_ options: [String]) throws -> [String] {
      let result = try journald.run(
        Tool.path, options + ["--journal", "--output-format", "ndjson", "--fields", "msg"])
      #expect(result.status == 0, "\(result.errorText)")
      return result.text.split(separator: "\n").map(String.init)
    }
    let own = try messages(["--sandbox", String(Self.sandbox.prefix(12))])
    #expect(own == [0, 2, 4].map { "{\"msg\":\"step \($0)\"}" })
    let byPod = try messages(["--pod", "shop/api-1"])
    #expect(byPod.count == 4 && byPod[0].contains("RunPodSandbox"), "\(byPod)")
    #expect(try messages(["--sandbox", String(Self.sandbox.prefix(12)), "--lines", "2"]).count == 2)
  }
}
