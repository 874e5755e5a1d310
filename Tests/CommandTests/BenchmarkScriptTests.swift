import Foundation
import TestSupport
import Testing

/// The benchmark on small inputs: that it runs, keeps its rounds, and finds a bar that is missed. Its figures mean nothing here.
@Suite(.ownThreads) struct BenchmarkScriptTests {
  private let script = Repository.path("Tests/Benchmarks/run-bench")

  @Test func quickRunKeepsRawRoundsAndReportsThem() throws {
    let folder = try TemporaryFolder()
    let binaries = try folder.make("binaries")
    for (name, path) in try [("kata-log-parser", Tool.path), ("kata-trace-forwarder", ForwarderProcess.path)]
    {
      try FileManager.default.createSymbolicLink(
        atPath: binaries.appendingPathComponent(name).path, withDestinationPath: path)
    }
    let raw = folder.url.appendingPathComponent("raw.json")
    let run = try Tool.run(
      script,
      [
        "--quick", "--only", "formats", "--only", "jq", "--only", "memory", "--output", raw.path,
        binaries.path,
      ])
    #expect(run.status == 0, "\(run.errorText)")
    var rounds = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: raw)) as? [String: Any])
    var series = try #require(rounds["series"] as? [String: [String: Any]])
    #expect((series["jq -c ."]?["values"] as? [Double])?.count == 2)
    #expect((rounds["skipped"] as? [String: String])?.isEmpty == true, "\(run.errorText)")

    let report = try Tool.run(script, ["--report", raw.path])
    #expect(report.status == 0, "\(report.errorText)")
    #expect(run.text.hasPrefix(report.text.trimmingCharacters(in: .newlines)))
    #expect(report.text.contains("| idle memory, MiB |"))

    series["idle memory"]?["values"] = [7, 16]
    rounds["series"] = series
    try JSONSerialization.data(withJSONObject: rounds).write(to: raw)
    let missed = try Tool.run(script, ["--report", raw.path])
    #expect(missed.text.contains("| idle memory, MiB | 16 | at most 15 | **MISSED** |"), "\(missed.text)")
  }

  @Test func baseBuildIsComparedInPairs() throws {
    let folder = try TemporaryFolder()
    let raw = folder.url.appendingPathComponent("raw.json")
    let run = try Tool.run(
      script, ["--quick", "--only", "start", "--base", Tool.path, "--output", raw.path, Tool.path])
    #expect(run.status == 0, "\(run.errorText)")
    #expect(run.text.contains("| wall time of kata-log-parser --version |"), "\(run.text)")
  }
}
