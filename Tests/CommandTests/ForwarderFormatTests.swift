import Foundation
import TestSupport
import Testing

/// What the forwarder says of itself, against `formats/`.
@Suite(.ownThreads) struct ForwarderFormatTests {
  @Test func metricsAreThoseOfTheTable() throws {
    let forwarder = try ForwarderProcess.ready([
      "--otlp-json-file", "spans.jsonl", "--otlp-logs-endpoint", "http://127.0.0.1:9",
    ])
    let text = try HTTPAnswer.get(forwarder.addresses["metrics"] ?? "", "/metrics").text
    let said = text.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ")
      return words.count == 4 && words[1] == "TYPE" ? "\(words[2]) \(words[3])" : nil
    }
    let table = try String(contentsOfFile: Repository.path("formats/metrics/README.md"), encoding: .utf8)
    let written = table.split(separator: "\n").compactMap { line -> String? in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count >= 3, cells[0].hasPrefix("`kata_forwarder_") else { return nil }
      return "\(cells[0].dropFirst().dropLast()) \(cells[1])"
    }
    #expect(said.sorted() == written.sorted())
    #expect(written.count > 15)
  }

  /// The sample, and what a forwarder says that starts, is talked nonsense to, and stops.
  @Test func theLogIsReadWithoutAFlag() throws {
    let forwarder = try ForwarderProcess.ready(["--log-level", "debug", "--otlp-receiver", "127.0.0.1:0"])
    for body in ["nonsense", "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{}]}]}]}"] {
      _ = try HTTPAnswer.post(
        forwarder.addresses["otlp"] ?? "", "/v1/traces", type: "application/json", Data(body.utf8))
    }
    #expect(forwarder.stop() == 0)
    let folder = try TemporaryFolder()
    let live = folder.url.appendingPathComponent("live.log").path
    try Data(forwarder.log.utf8).write(to: URL(fileURLWithPath: live))
    for path in [live, Repository.path("formats/log/sample.log")] {
      let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      #expect(lines.count > 2)
      let result = try Tool.run(["--strict", "--output-format", "ndjson", path])
      #expect(result.status == 0, "\(result.errorText)")
      let records = result.text.split(separator: "\n")
      #expect(records.count == lines.count)
      for record in records {
        #expect(
          record.contains("\"name\":\"kata-trace-forwarder\"")
            && record.contains("\"source\":\"trace-forwarder\""))
      }
    }
  }
}
