import Foundation
import TestSupport
import Testing

/// `--output-format fluentd`, delivered to a receiver of the Forward protocol.
@Suite(.ownThreads) struct FluentdTests {
  private let sample = Repository.path("formats/output/sample.log")

  private func object(_ line: Substring) throws -> NSDictionary {
    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? NSDictionary)
  }

  @Test func deliversWhatItWritesAsLines() throws {
    let peer = try ForwardPeer()
    let lines = try Tool.run(["--output-format", "fluentd", sample])
    let result = try Tool.run(["--output-format", "fluentd", "--endpoint", peer.endpoint, "--stats", sample])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.output.isEmpty)
    let written = try lines.text.split(separator: "\n").map(object)
    let stored = try peer.stored()
    #expect(stored.compactMap { $0["record"] as? NSDictionary } == written)
    #expect(stored.allSatisfy { $0["tag"] as? String == "kata-containers" })
    #expect(stored.first?["time"] as? [Int] == [1_772_686_914, 123_456_789])
    #expect(!peer.log.contains { $0.hasPrefix("bad") }, "\(peer.log)")
    #expect(result.errorText.contains("\"acknowledged\":3"))
  }

  static let ways: [[String]] = [
    [], ["--helo", "str"], ["--no-keepalive"], ["--helo", "str", "--user", "kata", "--password", "pw"],
    ["--user", "kata", "--password", "pw", "--fault", "read-bytes=1"],
  ]

  @Test(arguments: ways)
  func shakesHands(_ arguments: [String]) throws {
    let peer = try ForwardPeer(["--shared-key", "s3cret"] + arguments)
    let folder = try TemporaryFolder()
    let key = try secret("s3cret\n", "key", folder)
    let password = try secret("pw", "password", folder)
    let user = arguments.contains("--user") ? ["--user", "kata", "--password-file", password] : []
    let result = try Tool.run(
      ["--endpoint", peer.endpoint, "--shared-key-file", key, "--gzip", "--tag", "t", sample] + user)
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try peer.records().count == 3)
    #expect(!peer.log.contains { $0.hasPrefix("bad") }, "\(peer.log)")
    #expect(peer.log.contains { $0.contains("compressed gzip") })
  }

  private func secret(_ text: String, _ name: String, _ folder: TemporaryFolder) throws -> String {
    let path = try folder.write(name, text)
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return path
  }

  static let faults: [[String]] = [
    ["ack-never@1"], ["ack-late=3@1"], ["ack-wrong@1"], ["ack-twice"], ["ack-bin"], ["ack-bytes"],
    ["ack-junk@1"], ["close-first@1"], ["close-last@1"], ["close-ack@1"], ["close-connect@1"],
    ["close-after=20@1"], ["read-bytes=1"], ["close-first@1", "ack-never@2"],
  ]

  @Test(arguments: faults)
  func nothingIsLostWhateverTheReceiverDoes(_ faults: [String]) throws {
    let peer = try ForwardPeer(faults.flatMap { ["--fault", $0] })
    let result = try Tool.run(["--endpoint", peer.endpoint, "--ack-timeout", "1s", "--stats", sample])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(Set(try peer.cursors()).count == 3)
    #expect(result.errorText.contains("\"acknowledged\":3"))
    let chunks = Set(try peer.stored().compactMap { $0["chunk"] as? String })
    #expect(chunks.count == 1, "the same id each time")
    #expect(!peer.log.contains { $0.hasPrefix("bad") }, "\(peer.log)")
  }

  /// What is wrong with the setup is told with what to do about it; the records wait meanwhile.
  static let troubles: [(peer: [String], own: [String], words: String)] = [
    (["--shared-key", "other"], ["key"], "--shared-key-file (it says: shared_key mismatch"),
    (["--shared-key", "s3cret"], [], "requires a shared key; give --shared-key-file"),
    (
      ["--shared-key", "s3cret", "--user", "kata", "--password", "x"], ["key"],
      "requires a user and a password"
    ),
    (
      ["--shared-key", "s3cret", "--fault", "pong-forged"], ["key"],
      "cannot prove that it knows the shared key"
    ),
    (["--shared-key", "s3cret", "--fault", "pong-close"], ["key"], "Fluent Bit says nothing"),
    (
      ["--shared-key", "s3cret", "--fault", "pong-false=anonymous source host denied"], ["key"],
      "it says: anonymous source host denied"
    ),
  ]

  @Test(arguments: troubles)
  func troubleIsToldWithItsRemedy(peer arguments: [String], own: [String], words: String) throws {
    let peer = try ForwardPeer(arguments)
    let folder = try TemporaryFolder()
    let key = try secret("s3cret", "key", folder)
    let errors = folder.url.appendingPathComponent("errors").path
    let run = try PipedRun(
      ["--endpoint", peer.endpoint, sample] + (own.isEmpty ? [] : ["--shared-key-file", key]), errors: errors)
    try Deadline.wait("a warning with \(words)") {
      let text = try String(contentsOfFile: errors, encoding: .utf8)
      return words.split(separator: "(").allSatisfy { text.contains($0.trimmingCharacters(in: .whitespaces)) }
    }
    #expect(run.isRunning, "the records wait")
    run.signal(SIGTERM)
    _ = run.status()
    #expect(try peer.records().isEmpty)
  }

  @Test func socketThatNeverAcknowledgesEndsTheRun() throws {
    let peer = try ForwardPeer(["--never-ack"], isUnix: true)
    let result = try Tool.run(["--endpoint", peer.endpoint, "--ack-timeout", "1s", sample])
    #expect(result.status == 1)
    #expect(result.errorText.contains("in_unix"), "\(result.errorText)")
    #expect(result.errorText.contains("--no-ack"))
  }

  @Test func withoutAcknowledgementsRecordsAreDeliveredOnce() throws {
    let peer = try ForwardPeer(["--never-ack"], isUnix: true)
    let result = try Tool.run(["--endpoint", peer.endpoint, "--no-ack", sample])
    #expect(result.status == 0, "\(result.errorText)")
    try Deadline.wait("the records are stored") { try peer.records().count == 3 }
    #expect(peer.log.contains { $0.contains("chunk None") })
  }

  @Test func unixSocketThatAcknowledges() throws {
    let peer = try ForwardPeer(isUnix: true)
    let result = try Tool.run(["--endpoint", peer.endpoint, sample])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try peer.records().count == 3)
  }

  @Test func secondEndpointIsUsedWhenTheFirstIsAway() throws {
    let peer = try ForwardPeer()
    let gone = try ForwardPeer()
    gone.kill()
    let result = try Tool.run(["--endpoint", gone.endpoint, "--endpoint", peer.endpoint, sample])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(try peer.records().count == 3)
    #expect(result.errorText.contains("Connection refused"))
  }

  @Test func givesUpWhenToldTo() throws {
    let gone = try ForwardPeer()
    gone.kill()
    let result = try Tool.run(["--endpoint", gone.endpoint, "--give-up-after", "1ms", sample])
    #expect(result.status == 1)
    #expect(result.errorText.contains("Connection refused"))
  }

  @Test func chunksHaveTheSizeThatIsAskedFor() throws {
    let peer = try ForwardPeer(["--fault", "refuse-over=20000"])
    let folder = try TemporaryFolder()
    let lines = (0..<1000).map {
      "time=\"2026-03-05T05:01:54.\(100_000 + $0)Z\" level=info msg=m\($0) name=n pid=1 source=s\n"
    }
    let path = try folder.write("in.log", lines.joined())
    let result = try Tool.run(["--endpoint", peer.endpoint, "--chunk-size", "16K", path])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.errorText.isEmpty)
    #expect(try peer.records().count == 1000)
  }

  @Test func recordThatIsRefusedIsSetAside() throws {
    let peer = try ForwardPeer(["--fault", "refuse-text=poison"])
    let folder = try TemporaryFolder()
    let lines = (1...60).map { number in
      "time=\"2026-03-05T05:01:54.\(1000 + number)Z\" level=info msg=\"\(number == 7 ? "poison" : "m\(number)")\" name=n pid=1 source=s\n"
    }
    let path = try folder.write("in.log", lines.joined())
    let aside = folder.url.appendingPathComponent("aside").path
    let run = try PipedRun([
      "--follow", "--endpoint", peer.endpoint, "--set-aside", aside, "--output-format", "fluentd", path,
    ])
    let more = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try more.seekToEnd()
    var number = 100
    // Others go on coming, and are acknowledged: only then is it the record's own fault.
    try Deadline.wait("the record is set aside") {
      number += 1
      try more.write(contentsOf: Data(lines[0].replacing("m1", with: "n\(number)").utf8))
      Deadline.pause(seconds: 0.2)
      return FileManager.default.fileExists(atPath: aside)
    }
    run.signal(SIGTERM)
    #expect(run.status() == 1)
    let line = try String(contentsOfFile: aside, encoding: .utf8)
    let record = try #require(object(line[...])["record"] as? String)
    #expect(Data(base64Encoded: record)?.range(of: Data("poison".utf8)) != nil)
    let messages = Set(try peer.records().compactMap { $0["kata_msg"] as? String })
    #expect(messages.isSuperset(of: (1...60).filter { $0 != 7 }.map { "m\($0)" }))
  }

  @Test(arguments: [
    (["--tag", "x"], "give --endpoint as well"), (["--endpoint", "fluentd:24224"], "is not an endpoint"),
    (["--endpoint", "tcp://a", "--output-format", "json"], "needs --output-format fluentd"),
    (["--endpoint", "tcp://a", "-o", "x"], "either delivered or written"),
    (["--endpoint", "tcp://a", "--user", "x"], "together"),
    (["--endpoint", "tcp://a", "--shared-key-file", "/nowhere"], "No such file"),
    (["--endpoint", "tcp://a", "--ack-timeout", "1ms"], "is not a time from 1s to 1h"),
  ])
  func refusesWhatMakesNoSense(arguments: [String], words: String) throws {
    let result = try Tool.run(arguments + [sample])
    #expect(result.status == 2)
    #expect(result.errorText.contains(words), "\(result.errorText)")
  }

  @Test func keyThatOthersCanReadIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("key", "s3cret")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    let result = try Tool.run(["--endpoint", "tcp://a", "--shared-key-file", path, sample])
    #expect(result.status == 2)
    #expect(result.errorText.contains("chmod 600"))
  }

  /// A real client against the test receiver, which proves that it is one.
  @Test func receiverIsProvedByAnotherClient() throws {
    let peer = try ForwardPeer()
    let script = """
      import sys
      from fluent import sender
      log = sender.FluentSender("app", host="127.0.0.1", port=int(sys.argv[1]), nanosecond_precision=True)
      assert log.emit_with_time("follow", sender.EventTime(1763655932.5), {"from": "a", "to": "é"}), log.last_error
      assert log.emit("follow", {"n": 2}), log.last_error
      log.close()
      """
    let result = try Program.python(["-c", script, String(peer.port)], environment: "venv")
    #expect(result.status == 0, "\(result.errorText)")
    try Deadline.wait("both events are stored") { try peer.records().count == 2 }
    let first = try #require(try peer.stored().first)
    #expect(first["tag"] as? String == "app.follow")
    #expect(first["time"] as? [Int] == [1_763_655_932, 500_000_000])
    #expect(first["record"] as? NSDictionary == ["from": "a", "to": "é"])
  }
}
