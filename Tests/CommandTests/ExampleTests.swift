import Foundation
import TestSupport
import Testing

/// Every example of the documentation, executed.
@Suite(.ownThreads) struct ExampleTests {
  private let shim = Repository.path("examples/sample/shim.log")
  private let containerd = Repository.path("examples/sample/containerd.log")

  private func run(_ name: String, _ arguments: [String]) throws -> Tool.Result {
    // The examples find the tool by its name, whatever the binary under test is called.
    let folder = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      atPath: folder.url.appendingPathComponent("kata-log-parser").path, withDestinationPath: Tool.path)
    let path = folder.url.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    return try Tool.run(
      Repository.path("examples/\(name)"), arguments, environment: ["PATH": path, "TMPDIR": "/var/tmp"])
  }

  @Test func thereIsATestForEachExample() throws {
    let suites = ["ExampleTests", "ForwarderExampleTests", "ConfigurationExampleTests", "ShipTests"]
    let source = try suites.reduce("") {
      try $0 + String(contentsOfFile: Repository.path("Tests/CommandTests/\($1).swift"), encoding: .utf8)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: Repository.path("examples"))
    // The unit of systemd has its own tests.
    for name in names where !["README.md", "pictures", "sample", "systemd"].contains(name) {
      #expect(source.contains(try Regex("(run|serve)\\(\\s*\"\(name)\"|\"examples/\(name)[/\"]")), "\(name)")
    }
  }

  @Test func whatHappened() throws {
    let result = try run("what-happened", [shim, containerd])
    #expect(result.status == 0, "\(result.errorText)")
    let lines = result.text.split(separator: "\n")
    #expect(lines.count == 21)
    #expect(lines.first?.contains("RunPodSandbox") == true && lines.last?.contains("pod started") == true)
    #expect(lines.contains { $0.contains("kata-agent[1]") && $0.contains("receive createcontainer") })
  }

  @Test func whyNoPod() throws {
    let result = try run("why-no-pod", ["shop/cart-0", Repository.path("examples/sample/node.log")])
    #expect(result.status == 0 && result.errorText.isEmpty, "\(result.errorText)")
    // The README shows what it prints.
    let readme = try String(contentsOfFile: Repository.path("README.md"), encoding: .utf8)
    #expect(readme.contains("\n" + result.text), "\(result.text)")
    #expect(result.text.contains("Kernel panic - not syncing") && !result.text.contains("web-0"))
  }

  @Test func agentErrors() throws {
    let result = try run("agent-errors", [shim, containerd])
    #expect(result.text.split(separator: "\n").count == 2)
    #expect(result.text.contains("cgroups,cgroup: cannot set memory.swap.max"))
  }

  @Test func losses() throws {
    #expect(
      try run("losses", [shim]).text
        == "{\"suppressed\":0,\"dropped\":0,\"truncated\":0,\"bad\":0,\"too_long\":0}\n")
  }

  @Test func slowSteps() throws {
    let result = try run("slow-steps", [shim])
    #expect(result.text.split(separator: "\n").count == 10)
    #expect(result.text.hasPrefix("224 ms  before  vmconsole: [    0.395399] brd"), "\(result.text)")
  }

  @Test func journalOfOneSandboxAndSinceLastTime() throws {
    let folder = try TemporaryFolder()
    let lines = try String(contentsOfFile: shim, encoding: .utf8).split(separator: "\n")
    let journal = try Journal.make(
      lines.enumerated().map {
        Journal.entry($0, Journal.text([("MESSAGE", String($1)), ("SYSLOG_IDENTIFIER", "kata")]))
      },
      in: folder)
    let sandbox = try run("sandbox-journal", ["3f2a9c51", "--journal-file", journal])
    let document = try JSONSerialization.jsonObject(with: sandbox.output) as? [String: Any]
    #expect((document?["Entries"] as? [Any])?.count == lines.count)
    let cursor = folder.url.appendingPathComponent("cursor").path
    let first = try run("since-last-time", [cursor, "--journal-file", journal])
    #expect(first.text.split(separator: "\n").count == lines.count)
    #expect(try run("since-last-time", [cursor, "--journal-file", journal]).text.isEmpty)
  }

  @Test func followToJQ() throws {
    // Standard input ends, and so does the run.
    let folder = try TemporaryFolder()
    let copy = try folder.write("log", try String(contentsOfFile: shim, encoding: .utf8))
    let result = try run("follow-to-jq", ["--until", "2100-01-01", "-"])
    #expect(result.status == 0 && result.text.isEmpty)
    let shell = try Tool.run(
      "/bin/bash",
      [
        "-c",
        "PATH=\"$(dirname '\(Tool.path)'):$PATH\" '\(Repository.path("examples/follow-to-jq"))' - <'\(copy)'",
      ])
    #expect(
      shell.text
        == "2026-03-05T05:01:33.096137902Z 3f2a9c51 cgroup: cannot set memory.swap.max: No such file or directory (os error 2)\n",
      "\(shell.errorText)")
  }
}
