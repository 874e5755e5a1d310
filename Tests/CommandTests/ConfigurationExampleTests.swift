import Foundation
import TestSupport
import Testing

/// The examples that are configurations and queries for other programs: executed where the program can be had, and read by
/// its rules where not.
@Suite(.ownThreads) struct ConfigurationExampleTests {
  private static let environment = "venv-examples"

  // MARK: ClickHouse

  private func answers(_ database: String, _ statements: String, _ file: String? = nil) throws
    -> [[String: Any]]
  {
    let script = Repository.path("examples/clickhouse/run-sql")
    let result = try Program.python(
      [script, database, Repository.path("examples/clickhouse/\(statements).sql")]
        + (file.map { [$0] } ?? []),
      environment: Self.environment)
    #expect(result.status == 0, "\(statements): \(result.errorText)")
    return try result.text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  private static let isHere = FileManager.default.isExecutableFile(
    atPath: Repository.path(".build/\(environment)/bin/python"))
  private static let isWanted = isHere || ProcessInfo.processInfo.environment["KATA_TEST_ALL"] != nil

  @Test(.enabled(if: isWanted, "`make test-dependencies` makes the environment with chdb"))
  func clickHouseAnswersFromOurRecords() throws {
    let folder = try TemporaryFolder()
    let database = folder.url.appendingPathComponent("database").path
    let records = folder.url.appendingPathComponent("records.ndjson").path
    let losses = try folder.write(
      "losses.log",
      """
      Mar 05 05:12:01 node1 systemd-journald[311]: Suppressed 1234 messages from containerd.service
      nothing that any format claims

      """)
    let logs = [
      "examples/sample/node.log", "Tests/RealRuns/full-run.devlog", "Tests/RealRuns/go-shim-run.devlog",
    ].map(Repository.path)
    let read = try Tool.run(["--output-format", "ndjson", "--output-file", records] + logs + [losses])
    #expect(read.status == 0, "\(read.errorText)")
    let count = try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n").count

    #expect(try answers(database, "tables").isEmpty)
    #expect(try answers(database, "load-logs", records).isEmpty)
    let errors = try answers(database, "errors")
    #expect(
      errors.contains {
        ($0["sandbox"] as? String)?.hasPrefix("7c1d04e9") == true && $0["service"] as? String == "kata"
          && $0["message"] as? String == "the agent did not answer"
      }, "\(errors)")
    // What the shims' own logs say, by subtraction.
    let starts = try answers(database, "start-times")
    let times = starts.map {
      "\($0["sandbox"] ?? "") \($0["vm_ms"] ?? "") \($0["agent_ms"] ?? "") \($0["started_ms"] ?? "")"
    }
    #expect(times == ["c1 30 140 562", "c2 21 24 42"])
    let lost = try answers(database, "losses")
    #expect(
      lost.contains {
        $0["loss"] as? String == "suppressed by journald" && "\($0["messages"] ?? "")" == "1234"
      },
      "\(lost)")
    #expect(try self.count("otel_logs", in: database) == count)
  }

  /// Sends an agent's frames to a forwarder and loads what it writes; returns the file and the database.
  private func load(_ frames: Data, spans count: Int, in folder: TemporaryFolder) throws -> (
    spans: String, database: String
  ) {
    let spans = folder.url.appendingPathComponent("spans.jsonl").path
    let forwarder = try ForwarderProcess.ready(["--otlp-json-file", spans], in: folder)
    let agent = try LocalSocket(path: forwarder.agentSocket)
    try agent.write(frames)
    agent.endWriting()
    try forwarder.waitForSpans(count)
    #expect(forwarder.stop() == 0)
    let database = folder.url.appendingPathComponent("database").path
    #expect(try answers(database, "tables").isEmpty)
    #expect(try answers(database, "load-traces", spans).isEmpty)
    return (spans, database)
  }

  @Test(.enabled(if: isWanted, "`make test-dependencies` makes the environment with chdb"))
  func clickHouseAnswersFromTheForwardersSpans() throws {
    let folder = try TemporaryFolder()
    let frames = try Data(contentsOf: Repository.url("Tests/RealRuns/full-run.frames"))
    let (spans, database) = try load(frames, spans: 51, in: folder)
    let slowest = try answers(database, "slow-spans")
    #expect(slowest.count == 20)
    #expect(slowest.first?["span"] as? String == "root-span")
    // The file says the same, span by span.
    let lines = try String(contentsOfFile: spans, encoding: .utf8).split(separator: "\n")
    for row in slowest {
      let name = try #require(row["span"] as? String)
      let found = lines.filter { $0.contains("\"name\":\"\(name)\",\"kind\"") }
      #expect("\(row["calls"] ?? "")" == "\(found.count)", "\(row)")
    }
  }

  /// The samples' spans have hundreds of dates, as a guest's may.
  @Test(.enabled(if: isWanted, "`make test-dependencies` makes the environment with chdb"))
  func clickHouseTakesSpansOfAnyTime() throws {
    let folder = try TemporaryFolder()
    let (_, database) = try load(
      try SampleSpans.all().frames.reduce(Data(), +), spans: 400, in: folder)
    #expect(try count("otel_traces", in: database) == 400)
  }

  private func count(_ table: String, in database: String) throws -> Int {
    let folder = try TemporaryFolder()
    let statement = try folder.write("count.sql", "SELECT count() AS rows FROM \(table)")
    let script = Repository.path("examples/clickhouse/run-sql")
    let result = try Program.python([script, database, statement], environment: Self.environment)
    return try #require(
      result.text.firstMatch(of: /"rows":"?([0-9]+)/).flatMap { Int($0.1) }, "\(result.errorText)")
  }

  // MARK: Grafana

  private func dashboard() throws -> [[String: Any]] {
    let data = try Data(contentsOf: Repository.url("examples/grafana/dashboard.json"))
    let document = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try #require(document["panels"] as? [[String: Any]])
  }

  @Test func eachMetricOfTheDashboardIsServedAndTheJaegerSourceIsAnswered() throws {
    let forwarder = try ForwarderProcess.ready(["demo", "--query", "127.0.0.1:0"], agents: false)
    let served = try forwarder.get("/metrics", at: "query").text
    let types = Set(served.matches(of: #/(?m)^# TYPE (\S+) /#).map { String($0.1) })
    let panels = try dashboard()
    var named: Set<String> = []
    for panel in panels {
      for target in panel["targets"] as? [[String: Any]] ?? [] {
        guard let expression = target["expr"] as? String else { continue }
        let metrics = expression.matches(of: /[a-z_]+_[a-z_]+(?=[\[ )]|$)/).map { String($0.0) }
        #expect(!metrics.isEmpty, "\(expression)")
        named.formUnion(metrics.filter { $0 != "__rate_interval" })
      }
    }
    #expect(named.count >= 12)
    #expect(named.isSubset(of: types), "not served: \(named.subtracting(types).sorted())")
    // What Grafana's Jaeger source asks to list services and to search.
    try forwarder.wait("the demonstration's spans can be asked for") {
      try forwarder.get("/api/services", at: "query").text.contains("kata-agent")
    }
    #expect(
      try forwarder.get("/api/traces?service=kata-agent&limit=20", at: "query").text.contains("\"traceID\""))
    #expect(forwarder.stop() == 0)
  }

  @Test func theDashboardsSourcesAreProvisioned() throws {
    let text = try String(
      contentsOfFile: Repository.path("examples/grafana/provisioning/datasources/kata.yaml"), encoding: .utf8)
    let provisioned = Set(text.matches(of: /uid: (\S+)/).map { String($0.1) })
    for panel in try dashboard() {
      let source = try #require((panel["datasource"] as? [String: Any])?["uid"] as? String)
      #expect(provisioned.contains(source), "\(panel["title"] ?? "")")
    }
  }

  // MARK: Kubernetes

  private static let manifests = ["forwarder", "shipper"]

  @Test(
    .enabled(if: isWanted, "`make test-dependencies` makes the environment with kubernetes-validate"),
    arguments: manifests)
  func kubernetesTakesTheManifest(_ name: String) throws {
    let path = Repository.path("examples/kubernetes/\(name).yaml")
    let result = try Program.run(
      Repository.path(".build/\(Self.environment)/bin/kubernetes-validate"), ["--strict", path])
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
  }

  /// Without a cluster kubectl checks nothing but what it needs for a change that it makes by itself.
  @Test(.needs("kubectl"), arguments: manifests) func kubectlReadsTheManifest(_ name: String) throws {
    let path = Repository.path("examples/kubernetes/\(name).yaml")
    let container = name
    let result = try Program.run(
      "/usr/bin/env",
      [
        "kubectl", "set", "image", "--local", "-f", path, "\(container)=registry.example/other:1", "-o",
        "name",
      ])
    #expect(result.text.contains("daemonset.apps/"), "\(result.errorText)")
    #expect(!result.errorText.contains("unable to decode"), "\(result.errorText)")
  }

  private static let hasSeccomp =
    ForwarderProcess.isRoot
    && (try? Program.run("/usr/bin/python3", ["-c", "import seccomp"]).status) == 0

  /// The manifest's options, capabilities and seccomp profile are enough for sandboxes that come, and what they send.
  @Test(.enabled(if: hasSeccomp, "needs root and the package python3-seccomp"), .needs("setpriv"))
  func theForwarderWorksWithTheRightsOfItsManifest() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.url.path)
    let manifest = try String(
      contentsOfFile: Repository.path("examples/kubernetes/forwarder.yaml"), encoding: .utf8)
    let given = try #require(manifest.firstMatch(of: /add: \[(.+)\]/)?.1)
    let capabilities = given.split(separator: ", ").map { "+" + $0.lowercased() }.joined(separator: ",")
    var options = manifest.matches(of: #/(?m)^            - (--.+)$/#).map { String($0.1) }
    #expect(options.count == 5)
    let replaced = [
      ("--otlp-endpoint=", "http://127.0.0.1:9"),
      ("--spool-dir=", folder.url.appendingPathComponent("spool").path), ("--metrics=", "127.0.0.1:0"),
      ("--socket-path-template=", folder.url.appendingPathComponent("vm/{ID}/clh.sock").path),
    ]
    for (name, value) in replaced {
      let index = try #require(options.firstIndex { $0.hasPrefix(name) })
      options[index] = name + value
    }
    let forwarder = try ForwarderProcess.ready(
      options + ["--stop-timeout", "100ms"], in: folder, agents: false, user: nil,
      prefix: [
        "/usr/bin/setpriv", "--bounding-set=-all,\(capabilities)", "--inh-caps=-all", "--no-new-privs",
        "/usr/bin/python3", Repository.path("Tests/Support/with-seccomp"),
        Repository.path("examples/kubernetes/kata-trace-forwarder.json"),
      ])
    _ = try folder.make("vm/late")
    let socket = folder.url.appendingPathComponent("vm/late/clh.sock_10240").path
    try forwarder.wait("the sandbox's socket") { (try? LocalSocket(path: socket)) != nil }
    try send(Frames.spans(trace: 1, 1..<4), to: socket)
    try forwarder.waitForSpans(3)
    // They wait for a collector that is not there.
    #expect(forwarder.stop() == 1)
  }

  // MARK: Fluentd and Fluent Bit

  @Test func fluentConfigurationsAreWellFormed() throws {
    let check = Repository.path("Tests/Validators/check-fluent-configs.py")
    let result = try Program.python([check, Repository.path("examples/not-run-here")])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.text.split(separator: "\n").count == 6)
    // A section that is not closed is found.
    let folder = try TemporaryFolder()
    let copy = folder.url.appendingPathComponent("copy")
    try FileManager.default.copyItem(at: Repository.url("examples/not-run-here"), to: copy)
    let file = copy.appendingPathComponent("fluentd/receiver.conf")
    try String(contentsOf: file, encoding: .utf8).replacingOccurrences(of: "</security>", with: "")
      .write(to: file, atomically: true, encoding: .utf8)
    #expect(try Program.python([check, copy.path]).status == 1)
  }

  /// The command beside the configurations, against a log parser that delivers.
  @Test func theCommandBesideThemUsesOptionsThatExist() throws {
    let script = try String(contentsOfFile: Repository.path("examples/fluentd/send"), encoding: .utf8)
    let help = try Tool.run(["--help"]).text
    guard help.contains("--endpoint") else { return }
    for match in script.matches(of: /--[a-z-]+/) {
      #expect(help.contains("\(match.0)"), "\(match.0)")
    }
  }
}
