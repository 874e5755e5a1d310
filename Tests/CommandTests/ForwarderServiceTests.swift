import Foundation
import TestSupport
import Testing

/// The forwarder as a service: signals, the service manager, sockets it is handed, what it says of itself, its unit.
@Suite(.ownThreads) struct ForwarderServiceTests {
  // MARK: Signals

  @Test(arguments: [SIGTERM, SIGINT]) func whatAgentsHaveSentIsReadBeforeItEnds(_ number: Int32) throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file, "--max-connections-per-guest", "200"], in: folder)
    // While it is stopped by the debugger's signal, agents connect and send: all of it is in the kernel's hands.
    forwarder.signal(SIGSTOP)
    try forwarder.wait("it stands still") { forwarder.state == "T" }
    let agents = try (0..<100).map { number in
      let agent = try LocalSocket(path: forwarder.agentSocket)
      try agent.write(Frames.spans(trace: UInt64(number + 1), 1..<6, padding: 1000))
      return agent
    }
    forwarder.signal(number)
    forwarder.signal(SIGCONT)
    #expect(forwarder.exitStatus == 0)
    withExtendedLifetime(agents) {}
    #expect(try OTLPLines.names(file).count == 500)
    #expect(forwarder.log.contains("the forwarder has stopped"))
  }

  @Test func anAgentInsideAFrameIsGivenTimeToFinishIt() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(["--otlp-json-file", file], in: folder)
    let agent = try LocalSocket(path: forwarder.agentSocket)
    let idle = try LocalSocket(path: forwarder.agentSocket)
    let frame = Frames.span(trace: 1, span: 2)
    try agent.write(Frames.span(trace: 1, span: 1) + frame.prefix(40))
    try forwarder.waitForSpans(1)
    forwarder.signal(SIGTERM)
    // The one with nothing under way is let go of; then nobody new is accepted.
    #expect(idle.isClosedByPeer())
    try agent.write(frame.dropFirst(40))
    #expect(forwarder.exitStatus == 0)
    #expect(try OTLPLines.names(file).count == 2)
  }

  @Test func whatIsNotDeliveredIsCountedAndComesAfterARestart() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let arguments = [
      "--otlp-endpoint", "http://127.0.0.1:\(port)", "--otlp-protocol", "http/json", "--retry-pause", "20ms",
      "--stop-timeout", "200ms",
    ]
    let first = try ForwarderProcess.ready(arguments, in: folder)
    try send(Frames.spans(trace: 1, 1..<43), to: first.agentSocket)
    try first.waitForSpans(42)
    #expect(first.stop() == 1)
    #expect(first.log.contains("exporter=otlp spans=42"))
    let collector = try FakeCollector(port: port)
    let second = try ForwarderProcess.ready(arguments, in: folder)
    try second.wait("they come") { collector.names.count == 42 }
    #expect(second.stop() == 0)
  }

  // MARK: The service manager

  @Test func tellsTheServiceManager() throws {
    let folder = try TemporaryFolder()
    let manager = try NotifySocket(folder.url.appendingPathComponent("notify").path)
    let forwarder = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0"], in: folder,
      environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "300000"])
    #expect(manager.next()?.hasPrefix("READY=1\n") == true)
    #expect(manager.next() == "WATCHDOG=1")
    #expect(manager.next() == "WATCHDOG=1")
    forwarder.signal(SIGTERM)
    var said = manager.next()
    while said == "WATCHDOG=1" { said = manager.next() }
    #expect(said == "STOPPING=1")
    #expect(forwarder.exitStatus == 0)
  }

  @Test func theWatchdogOfAnotherProcessIsNotFed() throws {
    let folder = try TemporaryFolder()
    let manager = try NotifySocket(folder.url.appendingPathComponent("notify").path)
    let forwarder = try ForwarderProcess.ready(
      ["--query", "127.0.0.1:0"], in: folder,
      environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": "1"])
    #expect(manager.next()?.hasPrefix("READY=1\n") == true)
    #expect(manager.next(seconds: 0.3) == nil)
    #expect(forwarder.stop() == 0)
  }

  @Test func takesTheSocketsThatItIsHanded() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("spans.json").path
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", file], in: folder, agents: false,
      prefix: ["/usr/bin/python3", Repository.path("Tests/Support/with-sockets"), folder.url.path])
    let port = try String(contentsOfFile: forwarder.path("port"), encoding: .utf8)
    #expect(forwarder.addresses["otlp"]?.hasSuffix(":\(port)") == true, "\(forwarder.log)")
    try send(Frames.spans(trace: 1, 1..<4), to: forwarder.path("handed.sock"))
    let request = Data(
      #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"n"}]}]}]}"#
        .utf8)
    #expect(
      try HTTPAnswer.post("127.0.0.1:\(port)", "/v1/traces", type: "application/json", request).status == 200)
    try forwarder.waitForSpans(4)
    #expect(forwarder.stop() == 0)
    #expect(try OTLPLines.names(file).count == 4)
  }

  @Test func systemdActivatesItAndItEndsWhenIdle() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("activated.sock").path
    let file = folder.url.appendingPathComponent("spans.json").path
    let activator = Process()
    activator.executableURL = URL(fileURLWithPath: "/usr/bin/systemd-socket-activate")
    activator.arguments = try [
      "--listen=\(path)", "--fdname=agents", ForwarderProcess.path, "--otlp-json-file", file, "--metrics",
      "off",
      "--jaeger-receiver", "off", "--otlp-receiver", "off", "--vsock=false", "--user", "root", "--spool-dir",
      folder.url.appendingPathComponent("spool").path, "--exit-idle-time", "300ms",
    ]
    activator.standardInput = FileHandle.nullDevice
    let log = folder.url.appendingPathComponent("log")
    try Data().write(to: log)
    activator.standardError = try FileHandle(forWritingTo: log)
    try activator.run()
    defer { kill(activator.processIdentifier, SIGKILL) }
    // The first connection starts it, and what comes on that is read.
    var agent: LocalSocket?
    try Deadline.wait("systemd listens") {
      agent = try? LocalSocket(path: path)
      return agent != nil
    }
    try agent?.write(Frames.spans(trace: 1, 1..<6))
    agent = nil
    try Deadline.wait("it ends when idle") { !activator.isRunning }
    activator.waitUntilExit()
    #expect(activator.terminationStatus == 0)
    #expect(try OTLPLines.names(file).count == 5)
    #expect(try String(contentsOf: log, encoding: .utf8).contains("it has been idle for --exit-idle-time"))
  }

  @Test func aHandedSocketOfAnUnknownNameIsExplained() throws {
    let folder = try TemporaryFolder()
    let forwarder = try ForwarderProcess(
      ["--query", "127.0.0.1:0"], in: folder, agents: false, environment: ["SOCKET_NAMES": "agents:what"],
      prefix: ["/usr/bin/python3", Repository.path("Tests/Support/with-sockets"), folder.url.path])
    #expect(forwarder.exitStatus == 1)
    #expect(forwarder.log.contains("FileDescriptorName="))
  }

  // MARK: What it says of itself

  @Test func metricsAreWellFormedAndNameWhatOperatorsNeed() throws {
    let folder = try TemporaryFolder()
    let forwarder = try ForwarderProcess.ready(
      ["--otlp-json-file", folder.url.appendingPathComponent("spans.json").path], in: folder)
    try send(
      try SampleSpans.all().frames.reduce(Data(), +) + Frames.frame(Data([1, 2, 3])),
      to: forwarder.agentSocket)
    try forwarder.waitForSpans(400)
    try forwarder.wait("they are written") {
      try forwarder.metric("spans_exported_total{exporter=\"otlp-json-file\"}") == 400
    }
    let answer = try forwarder.get("/metrics")
    #expect(answer.head.contains("Content-Type: text/plain; version=0.0.4"))
    let parsed = try Tool.run(
      Repository.path(".build/venv/bin/python"),
      [
        "-c",
        "import sys; from prometheus_client.parser import text_string_to_metric_families as p\nfor f in p(sys.stdin.read()):\n  assert f.documentation, f.name\n  print(f.name, f.type, len(f.samples))",
      ], input: answer.body)
    #expect(parsed.status == 0, "\(parsed.errorText)")
    let families = parsed.text.split(separator: "\n").map { $0.split(separator: " ") }
    #expect(families.allSatisfy { $0.count == 3 && ["counter", "gauge"].contains($0[1]) }, "\(parsed.text)")
    #expect(Set(families.map { $0[0] }).count == families.count)
    let metrics = try forwarder.metrics()
    for (name, value) in [
      ("spans_received_total{receiver=\"hybrid\"}", 401.0), ("spans_decoded_total{encoding=\"json\"}", 200),
      ("spans_exported_total{exporter=\"otlp-json-file\"}", 400), ("export_retries_total", 0),
      ("exporter_lag_spans{exporter=\"otlp-json-file\"}", 0), ("connections_total{receiver=\"hybrid\"}", 1),
      ("spool_appended_spans_total", 400), ("spool_dropped_spans_total", 0),
    ] { #expect(metrics["kata_forwarder_\(name)"] == value, "\(name)") }
    #expect(metrics.filter { $0.key.contains("spans_rejected_total{reason=") }.values.reduce(0, +) == 1)
    #expect((metrics["kata_forwarder_spool_bytes"] ?? 0) > 10_000)
    #expect(try forwarder.get("/readyz").text == "ready\n")
    #expect(try forwarder.get("/nothing").status == 404)
    #expect(forwarder.stop() == 0)
  }

  @Test func itsLogIsReadByTheLogParser() throws {
    let forwarder = try ForwarderProcess.ready(["--query", "127.0.0.1:0", "--log-level", "debug"])
    try send(
      Frames.span(trace: 1, span: 1) + Frames.frame(Data("\"= \u{1b}".utf8)), to: forwarder.agentSocket)
    try send(Frames.span(trace: 1, span: 1) + Data(repeating: 0xff, count: 9), to: forwarder.agentSocket)
    try forwarder.waitForSpans(2)
    forwarder.signal(SIGHUP)
    try forwarder.wait("it has heard") { forwarder.log.contains("reopened") }
    #expect(forwarder.stop() == 0)
    let parsed = try Tool.run(["--output-format", "ndjson", forwarder.logPath])
    #expect(parsed.status == 0 && parsed.errorText.isEmpty, "\(parsed.errorText)")
    let lines = forwarder.log.split(separator: "\n")
    let records = parsed.text.split(separator: "\n")
    #expect(lines.count >= 6 && records.count == lines.count)
    for record in records {
      let object = try JSONSerialization.jsonObject(with: Data(record.utf8)) as? [String: Any]
      #expect(object?["Name"] as? String == "kata-trace-forwarder" || record.contains("kata-trace-forwarder"))
    }
  }

  // MARK: The unit

  private static let unit = Repository.path("examples/systemd/kata-trace-forwarder.service")

  @Test func theUnitIsValidAndHardened() throws {
    let folder = try TemporaryFolder()
    // The binary that it names need not be installed to be checked.
    let text = try String(contentsOfFile: Self.unit, encoding: .utf8)
    let copy = try folder.write(
      "kata-trace-forwarder.service",
      text.replacingOccurrences(of: "/usr/local/bin/kata-trace-forwarder", with: ForwarderProcess.path))
    let verified = try Tool.run("/usr/bin/systemd-analyze", ["verify", "--man=no", copy])
    #expect(verified.status == 0, "\(verified.errorText)")
    #expect(!verified.errorText.contains("kata-trace-forwarder.service:"), "\(verified.errorText)")
    let security = try Tool.run(
      "/usr/bin/systemd-analyze", ["security", "--offline=yes", "--threshold=28", "--no-pager", copy])
    #expect(security.status == 0, "\(security.text)")
    let level = security.text.components(separatedBy: "Overall exposure level for ").last ?? ""
    #expect(level.contains("OK"), "\(level)")
    let lines = Set(text.split(separator: "\n").map(String.init))
    for line in [
      "Type=notify", "WatchdogSec=30", "NoNewPrivileges=yes", "ProtectSystem=strict",
      "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_VSOCK", "SystemCallFilter=@system-service",
      "MemoryMax=1G", "TasksMax=64",
      "CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER",
      "ExecReload=/bin/kill -HUP $MAINPID",
    ] { #expect(lines.contains(line), "\(line)") }
  }

  /// All system calls that both halves make, from start to end, against what the unit's filter lets through.
  @Test(
    .enabled(
      if: ForwarderProcess.isRoot, "only root's forwarder becomes another user: its calls are not traced"))
  func itMakesNoCallThatItsUnitForbids() throws {
    let folder = try TemporaryFolder()
    let trace = folder.url.appendingPathComponent("calls").path
    let out = try folder.make("out")
    chmod(out.path, 0o777)
    let template = folder.url.appendingPathComponent("vm/{ID}/clh.sock").path
    let collector = try FakeCollector()
    let forwarder = try ForwarderProcess.ready(
      [
        "--socket-path-template", template, "--otlp-endpoint", collector.endpoint, "--otlp-protocol",
        "http/json",
        "--jaeger-json", out.appendingPathComponent("traces").path, "--jaeger-json-file",
        out.appendingPathComponent("all.json").path, "--otlp-json-file",
        out.appendingPathComponent("spans.json").path, "--jaeger-port", String(try Rotel.freePort()),
        "--jaeger-receiver", "127.0.0.1:0", "--otlp-receiver", "127.0.0.1:0", "--query", "127.0.0.1:0",
        "--vsock=false", "--stop-timeout", "500ms",
      ], in: folder, user: nil, prefix: ["/usr/bin/strace", "-f", "-qq", "-o", trace])
    _ = try folder.make("vm/one")
    let socket = folder.url.appendingPathComponent("vm/one/clh.sock_10240").path
    try forwarder.wait("the sandbox's socket") { (try? LocalSocket(path: socket)) != nil }
    try send(Frames.spans(trace: 1, 1..<4), to: socket)
    try forwarder.waitForSpans(3)
    try forwarder.wait("the spans arrive") { collector.names.count >= 3 }
    #expect(try forwarder.get("/api/services", at: "query").status == 200)
    let process = try #require(forwarder.children.first)
    kill(process, SIGHUP)
    try forwarder.wait("it has heard") { forwarder.log.contains("reopened") }
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("vm/one"))
    try forwarder.wait("the sandbox is gone") { forwarder.log.contains("a sandbox is gone") }
    kill(process, SIGTERM)
    // Nobody is at the Jaeger agent's port.
    #expect([0, 1].contains(forwarder.exitStatus))

    let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
    let calls = Set(
      lines.compactMap { line -> String? in
        let words = line.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count > 1, let end = words[1].firstIndex(of: "(") else { return nil }
        return String(words[1][..<end])
      })
    #expect(
      calls.isSuperset(of: ["setuid", "setgroups", "sendmsg", "recvmsg", "inotify_add_watch", "fdatasync"]))
    let allowed = try allowedCalls()
    #expect(allowed.count > 200 && !allowed.contains("mount"))
    // What starts the process is systemd's business.
    #expect(calls.subtracting(allowed).subtracting(["execve"]) == [])
  }

  /// What the unit's filter lets through, resolved by systemd's own list of groups.
  private func allowedCalls() throws -> Set<String> {
    let groups = try Tool.run("/usr/bin/systemd-analyze", ["syscall-filter", "--no-pager"]).text
    var members: [String: [String]] = [:]
    var group = ""
    for line in groups.split(separator: "\n") {
      let word = line.trimmingCharacters(in: .whitespaces)
      if line.hasPrefix("@") {
        group = word
      } else if line.hasPrefix("    "), !word.hasPrefix("#") {
        members[group, default: []].append(word)
      }
    }
    func resolve(_ name: String) -> Set<String> {
      guard name.hasPrefix("@") else { return [name] }
      return (members[name] ?? []).reduce(into: []) { $0.formUnion(resolve($1)) }
    }
    var result: Set<String> = []
    for line in try String(contentsOfFile: Self.unit, encoding: .utf8).split(separator: "\n")
    where line.hasPrefix("SystemCallFilter=") {
      let value = line.dropFirst("SystemCallFilter=".count)
      for name in value.drop(while: { $0 == "~" }).split(separator: " ") {
        if value.hasPrefix("~") {
          result.subtract(resolve(String(name)))
        } else {
          result.formUnion(resolve(String(name)))
        }
      }
    }
    return result
  }

  // MARK: Demo

  @Test func theDemoRunsAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let process = Process()
    process.executableURL = try URL(fileURLWithPath: ForwarderProcess.path)
    process.arguments = ["demo", "--query", "127.0.0.1:0"]
    process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": folder.url.path]) { $1 }
    let log = folder.url.appendingPathComponent("log")
    try Data().write(to: log)
    process.standardError = try FileHandle(forWritingTo: log)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    func text() throws -> String { try String(contentsOf: log, encoding: .utf8) }
    try Deadline.wait("it says where to look") { try text().contains("  Traces: http://127.0.0.1:") }
    let address = try #require(
      try text().components(separatedBy: "Traces: http://").last?.split(separator: "/").first.map(String.init)
    )
    try Deadline.wait("its trace is there") {
      try HTTPAnswer.get(address, "/api/services").text.contains("kata-agent")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 2)
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["log"])
  }
}

extension ForwarderProcess {
  /// The letter that the kernel has for what the process does.
  fileprivate var state: String {
    let text = (try? String(contentsOfFile: "/proc/\(identifier)/stat", encoding: .utf8)) ?? ""
    return (text.split(separator: ")").last ?? "").split(separator: " ").first.map(String.init) ?? ""
  }
}
