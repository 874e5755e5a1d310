import Foundation
import TestSupport
import Testing

/// The examples that are about traces, executed.
@Suite(.ownThreads) struct ForwarderExampleTests {
  /// Runs an example with the tools in its `PATH` and returns what it printed; a long-lived one is ended by `until`.
  private func run(_ name: String, _ arguments: [String]) throws -> Tool.Result {
    try Tool.run(Repository.path("examples/\(name)"), arguments, environment: try environment())
  }

  private func environment() throws -> [String: String] {
    ["PATH": "\(tools.url.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"]
  }

  private let tools: TemporaryFolder

  init() throws {
    tools = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      atPath: tools.url.appendingPathComponent("kata-trace-forwarder").path,
      withDestinationPath: ForwarderProcess.path)
  }

  /// Options that keep an example off the machine's own sockets and directories.
  private func apart(_ folder: TemporaryFolder) -> [String] {
    [
      "--vsock=false", "--jaeger-receiver", "off", "--otlp-receiver", "off", "--metrics", "127.0.0.1:0",
      "--user", "root", "--socket-path", folder.url.appendingPathComponent("agents.sock").path,
    ]
  }

  private func sendSamples(to folder: TemporaryFolder) throws {
    let agent = try LocalSocket(path: folder.url.appendingPathComponent("agents.sock_10240").path)
    try agent.write(try SampleSpans.all().frames.reduce(Data(), +))
    agent.endWriting()
  }

  /// Runs an example that stays, sends it the sample spans, and ends it when `isDone` says so.
  private func serve(
    _ name: String, _ arguments: [String], _ folder: TemporaryFolder, isDone: (String, String) throws -> Bool
  ) throws -> (status: Int32, output: String, log: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Repository.path("examples/\(name)"))
    process.arguments = arguments + apart(folder)
    process.environment = ProcessInfo.processInfo.environment.merging(try environment()) { $1 }
    let files = ["out", "log"].map { folder.url.appendingPathComponent($0) }
    for file in files { try Data().write(to: file) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    func text(_ index: Int) -> String { (try? String(contentsOf: files[index], encoding: .utf8)) ?? "" }
    try process.run()
    defer { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    try Deadline.wait("\(name) is ready") { text(1).contains("is ready") || !process.isRunning }
    try sendSamples(to: folder)
    try Deadline.wait("\(name) has what was sent: \(text(1))") { try isDone(text(0), text(1)) }
    kill(process.processIdentifier, SIGTERM)
    process.waitUntilExit()
    return (process.terminationStatus, text(0), text(1))
  }

  @Test func seeSpans() throws {
    let folder = try TemporaryFolder()
    let result = try serve("see-spans", [], folder) { output, _ in
      output.components(separatedBy: "\n    trace ").count > 400
    }
    #expect(result.status == 0 && result.output.contains("setup_shared_namespaces"), "\(result.log)")
  }

  @Test func tracesInBrowser() throws {
    let folder = try TemporaryFolder()
    var services = ""
    let options = ["--query", "127.0.0.1:0", "--spool-dir", folder.url.appendingPathComponent("spool").path]
    let result = try serve("traces-in-browser", options, folder) { _, log in
      guard let address = log.firstMatch(of: /query=(\S+)/)?.1 else { return false }
      services = try HTTPAnswer.get(String(address), "/api/services").text
      return services.contains("kata-agent")
    }
    #expect(result.status == 0, "\(result.log) \(services)")
  }

  @Test func relayToCollector() throws {
    let collector = try ForwarderProcess.ready([
      "--query", "off", "--dump-only", "--otlp-receiver", "127.0.0.1:0",
    ])
    let folder = try TemporaryFolder()
    let result = try serve(
      "relay-to-collector",
      [
        "http://\(collector.addresses["otlp"] ?? "")", "--spool-dir",
        folder.url.appendingPathComponent("spool").path,
      ], folder
    ) { _, _ in try collector.metric("spool_appended_spans_total") >= 400 }
    #expect(result.status == 0, "\(result.log)")
    #expect(collector.stop() == 0)
  }

  @Test func slowCallsAndTraceAsText() throws {
    let forwarder = try ForwarderProcess.ready(
      ["demo", "--query", "127.0.0.1:0", "--spool-dir", try TemporaryFolder().url.path], agents: false)
    let address = try #require(forwarder.addresses["query"])
    try forwarder.wait("the demonstration's spans can be asked for") {
      try forwarder.get("/api/services", at: "query").text.contains("kata-agent")
    }
    var calls: [Substring] = []
    try forwarder.wait("all calls are there") {
      calls = try run("slow-calls", ["kata-agent", "100", address]).text.split(separator: "\n")
      return calls.count == 2
    }
    #expect(
      calls[0].hasPrefix("158 ms  create_container  ") && calls[1].hasPrefix("130 ms  destroy_sandbox  "))
    let trace = String(calls[0].suffix(32))
    let tree = try run("trace-as-text", [trace, address])
    let lines = tree.text.split(separator: "\n")
    #expect(lines.count == 17 && lines[0].hasSuffix("kata-runtime rootSpan"), "\(tree.errorText)")
    #expect(lines.contains { $0.hasSuffix("      kata-agent exec_process  ERROR") }, "\(tree.text)")
    #expect(forwarder.stop() == 0)
  }
}
