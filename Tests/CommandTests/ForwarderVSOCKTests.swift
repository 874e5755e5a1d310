import Foundation
import TestSupport
import Testing

/// Standard VSOCK for real: a guest under QEMU, in which the forwarder listens and others connect over the kernel's loopback.
@Suite(.ownThreads) struct ForwarderVSOCKTests {
  private static let kernel = Repository.path(".build/guest-kernel")
  private static let samples = Repository.path("formats/agent-frames")

  /// Why there can be no guest here; nil when there can.
  private static let obstacle: String? = {
    if let reason = try? String(contentsOfFile: "\(kernel)/unavailable", encoding: .utf8) {
      return reason.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let isThere = FileManager.default.fileExists(atPath: "\(kernel)/vmlinuz")
    return isThere ? nil : "no guest: .ci/guest-kernel has not been run, which make test does"
  }()

  /// What the guest left, file by file.
  private struct Results {
    let folder: TemporaryFolder
    func text(_ name: String) throws -> String {
      try String(contentsOf: folder.url.appendingPathComponent(name), encoding: .utf8)
    }
    func status(_ name: String) throws -> String {
      try text("\(name).status").trimmingCharacters(in: .whitespacesAndNewlines)
    }
    /// The lines of a forwarder's log at a level.
    func log(_ name: String, _ level: String) throws -> [Substring] {
      try text("\(name).log").split(separator: "\n").filter { $0.contains(" level=\(level) ") }
    }
  }

  @Test(
    "Agents over AF_VSOCK in a guest",
    .enabled(if: obstacle == nil, Comment(rawValue: obstacle ?? "")), .timeLimit(.minutes(8)))
  func receivesOverVSOCK() throws {
    let results = Results(folder: try TemporaryFolder())
    let run = try Tool.run(
      Repository.path("Tests/Support/vsock-guest/run"),
      [
        Self.kernel, ForwarderProcess.path, Self.samples,
        results.folder.url.path,
      ])
    try #require(run.status == 0, "\(run.errorText)")
    #expect((try? results.text("failures")) == nil)

    try checkKernelWithoutVSOCK(results)
    try checkForwarder(results)
    try checkSpans(results)
  }

  /// A kernel without VSOCK is a warning, and an error when VSOCK was asked for.
  private func checkKernelWithoutVSOCK(_ results: Results) throws {
    #expect(try !results.text("protocols.before").contains("AF_VSOCK"), "VSOCK was there at once")
    #expect(try results.text("protocols.after").contains("AF_VSOCK"))
    #expect(try results.status("without") == "0")
    #expect(try results.log("without", "error").isEmpty)
    let warnings = try results.log("without", "warning")
    #expect(warnings.count == 1 && warnings.allSatisfy { $0.contains("vhost_vsock") }, "\(warnings)")
    #expect(try results.status("required") == "1")
    #expect(try results.log("required", "error").contains { $0.contains("vhost_vsock") })
  }

  private func checkForwarder(_ results: Results) throws {
    #expect(try results.status("with") == "0")
    #expect(try results.log("with", "error").isEmpty)
    let ready = try results.log("with", "info").filter { $0.contains("the forwarder is ready") }
    #expect(ready.count == 1 && ready.allSatisfy { $0.contains(" agent_sockets=1 ") })
    #expect(
      try results.text("with.user").split(separator: "\n").allSatisfy {
        $0.split(separator: "\t").dropFirst().allSatisfy { $0 == "65534" }
      })
    // The connection that named 2^64-1 bytes was closed, and nothing else is complained about.
    let warnings = try results.log("with", "warning")
    #expect(!warnings.isEmpty)
    #expect(warnings.allSatisfy { $0.contains("vsock:1") && $0.contains("length") }, "\(warnings)")
    // Another forwarder could have neither the port nor a context id that is not this machine's.
    for (name, remedy) in [("taken", "--vsock-port"), ("foreign", "--vsock-cid any")] {
      #expect(try results.status(name) == "1")
      #expect(try results.log(name, "error").contains { $0.contains(remedy) })
    }
    let metrics = try results.text("metrics").split(separator: "\n")
    for line in [
      "kata_forwarder_spans_received_total{receiver=\"vsock\"} 400",
      "kata_forwarder_spans_decoded_total{encoding=\"bincode\"} 200",
      "kata_forwarder_spans_decoded_total{encoding=\"json\"} 200",
      "kata_forwarder_connections_total{receiver=\"vsock\"} 4",
      "kata_forwarder_open_connections{receiver=\"vsock\"} 1",
      "kata_forwarder_connections_closed_total{reason=\"frame_length\"} 1",
    ] {
      #expect(metrics.contains { $0 == line }, "\(line)")
    }
  }

  /// Each span that was sent is there once, and says which guest it is from.
  private func checkSpans(_ results: Results) throws {
    var spans: [String] = []
    for line in try results.text("spans/spans.json").split(separator: "\n") {
      let traces = try JSONDecoder().decode(TracesData.self, from: Data(line.utf8))
      for resource in traces.resourceSpans {
        let cids = resource.resource.attributes.filter { $0.key == "kata.guest.cid" }.map(\.value.stringValue)
        #expect(cids == ["1"])
        for span in resource.scopeSpans.flatMap(\.spans) { spans.append("\(span.traceId) \(span.spanId)") }
      }
    }
    #expect(spans.count == 400)
    #expect(try spans.sorted() == Self.truth().sorted())
  }

  /// The ids of the samples, read from their text.
  private static func truth() throws -> [String] {
    var ids: [String] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: samples).sorted()
    where name.hasSuffix(".truth.ndjson") {
      for line in try String(contentsOfFile: "\(samples)/\(name)", encoding: .utf8).split(separator: "\n") {
        let match = try #require(
          line.prefixMatch(of: #/\{"span_context":\{"trace_id":(\d+),"span_id":(\d+),/#))
        ids.append(
          "\(hexadecimal(try #require(UInt128(match.1)))) \(hexadecimal(try #require(UInt64(match.2))))")
      }
    }
    return ids
  }

  private static func hexadecimal<T: FixedWidthInteger>(_ value: T) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: T.bitWidth / 4 - digits.count) + digits
  }
}

/// As much of OTLP's JSON as the test reads.
private struct TracesData: Decodable {
  struct Value: Decodable { var stringValue: String? }
  struct Attribute: Decodable {
    var key: String
    var value: Value
  }
  struct Resource: Decodable { var attributes: [Attribute] }
  struct Span: Decodable {
    var traceId: String
    var spanId: String
  }
  struct ScopeSpans: Decodable { var spans: [Span] }
  struct ResourceSpans: Decodable {
    var resource: Resource
    var scopeSpans: [ScopeSpans]
  }
  var resourceSpans: [ResourceSpans]
}
