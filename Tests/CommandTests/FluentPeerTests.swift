import Foundation
import TestSupport
import Testing

/// The Forward protocol with programs that others wrote: a receiver that shakes hands, and a client that wants to be
/// acknowledged.
@Suite(.ownThreads) struct FluentPeerTests {
  private let sample = Repository.path("formats/output/sample.log")

  private func keyFile(_ folder: TemporaryFolder) throws -> String {
    let path = try folder.write("key", "s3cret\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return path
  }

  /// fluentbit-server-py asks for a user in its HELO, has none, and acknowledges nothing.
  @Test func fluentbitServerShakesHandsAndTakesRecordsWithoutAcknowledgements() throws {
    let peer = try ScriptPeer("fluentbit-server", environment: "venv-peers", ["s3cret"])
    let folder = try TemporaryFolder()
    let result = try Tool.run([
      "--endpoint", "tcp://127.0.0.1:\(peer.port)", "--shared-key-file", keyFile(folder), "--no-ack",
      "--tag", "peer", sample,
    ])
    #expect(result.status == 0, "\(result.errorText)")
    try Deadline.wait("the records are stored: \(peer.log)") { peer.stored.count == 3 }
    let lines = try Tool.run(["--output-format", "fluentd", sample]).text.split(separator: "\n")
    let written = try lines.map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary)
    }
    let stored = try peer.objects()
    #expect(stored.compactMap { $0["record"] as? NSDictionary } == written)
    #expect(stored.allSatisfy { $0["tag"] as? String == "peer" })
    #expect(peer.log.contains { $0.contains("PING parsing result is (True, '')") }, "\(peer.log)")
  }

  @Test func fluentbitServerRefusesAnotherKeyAndTheReasonIsTold() throws {
    let peer = try ScriptPeer("fluentbit-server", environment: "venv-peers", ["other"])
    let folder = try TemporaryFolder()
    let errors = folder.path("errors")
    let run = try PipedRun(
      [
        "--endpoint", "tcp://127.0.0.1:\(peer.port)", "--shared-key-file", keyFile(folder), "--no-ack",
        sample,
      ], errors: errors)
    try Deadline.wait("a warning with the reason") {
      let text = try String(contentsOfFile: errors, encoding: .utf8)
      return text.contains("bad shared key") && text.contains("check --shared-key-file")
    }
    #expect(run.isRunning, "the records wait")
    run.signal(SIGTERM)
    _ = run.status()
    #expect(peer.stored.isEmpty)
  }

  /// Where Debian has the packages of Go's client. With the compiler they take 525 MB, so that only `make test-slow`
  /// installs them.
  private static let packages = ProcessInfo.processInfo.environment["GOPATH"] ?? "/usr/share/gocode"
  private static let hasClient = FileManager.default.fileExists(
    atPath: "\(packages)/src/github.com/fluent/fluent-logger-golang/fluent/fluent.go")

  /// A client that ends with a failure when it is not acknowledged proves the test receiver, with its faults.
  @Test(
    .enabled(
      if: hasClient,
      "golang-github-fluent-fluent-logger-golang-dev and golang-go are not installed: make test-slow"),
    arguments: [([], true), (["ack-bytes"], true), (["ack-wrong"], false), (["close-first@1"], true)])
  func receiverIsProvedByGoClientWithAcknowledgements(_ faults: [String], _ ends: Bool) throws {
    let peer = try ForwardPeer(faults.flatMap { ["--fault", $0] })
    let folder = try TemporaryFolder()
    let result = try Program.run(
      "/usr/bin/env", ["go", "run", Repository.path("Tests/Support/fluent-client.go"), String(peer.port)],
      environment: [
        "GOPATH": Self.packages, "GO111MODULE": "off", "GOCACHE": folder.path("cache"), "CGO_ENABLED": "0",
      ])
    #expect((result.status == 0) == ends, "\(result.errorText)")
    #expect(!peer.log.contains { $0.hasPrefix("bad") }, "\(peer.log)")
    guard ends else { return }
    let stored = try peer.stored()
    #expect(stored.compactMap { ($0["record"] as? [String: Any])?["n"] as? Int } == [0, 1, 2])
    #expect(stored.allSatisfy { $0["tag"] as? String == "app.go" })
    #expect(stored.allSatisfy { $0["time"] as? [Int] == [1_763_655_932, 500_000_000] })
    #expect(stored.allSatisfy { ($0["record"] as? [String: Any])?["text"] as? String == "é" })
    #expect(stored.allSatisfy { $0["chunk"] is String })
  }
}
