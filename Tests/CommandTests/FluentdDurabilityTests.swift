import Foundation
import TestSupport
import Testing

/// Deliveries in which a side is killed: what is stored is what was sent, and copies can be told by `kata_cursor`.
@Suite(.ownThreads) struct FluentdDurabilityTests {
  private static let rounds = Deadline.isSlow ? 50 : 5

  private func entries(_ count: Int) -> [Data] {
    (0..<count).map { number in
      Journal.entry(
        number,
        Journal.text([
          ("SYSLOG_IDENTIFIER", "kata"), ("PRIORITY", "6"), ("_COMM", "kata-runtime"),
          (
            "MESSAGE",
            "time=\"2026-03-05T05:01:54.123456789Z\" level=info msg=\"record \(number)\" name=kata-runtime pid=7 sandbox=3f2a source=virtcontainers"
          ),
        ]))
    }
  }

  @Test func journalsOwnFieldsAreKept() throws {
    let folder = try TemporaryFolder()
    let journal = try Journal.make(
      entries(2) + [
        Journal.entry(
          2,
          Journal.text([("SYSLOG_IDENTIFIER", "kata"), ("SUBSYSTEM", "x"), ("LEVEL", "INFO")]) + [
            ("MESSAGE", Data([0xff, 0x61, 0xc3, 0xa9]))
          ])
      ], in: folder)
    let peer = try ForwardPeer()
    let result = try Tool.run(["--endpoint", peer.endpoint, "--journal-file", journal])
    #expect(result.status == 0, "\(result.errorText)")
    let places = try Journal.read(journal).compactMap { $0["__CURSOR"] as? String }
    // They come in order of their own times.
    let records = try peer.records().sorted { one, other in
      let (one, other) = (one["kata_cursor"] as? String, other["kata_cursor"] as? String)
      return (one.flatMap { places.firstIndex(of: $0) } ?? 0)
        < (other.flatMap { places.firstIndex(of: $0) } ?? 0)
    }
    let expected = try Journal.read(journal)
    #expect(records.count == 3)
    for (record, entry) in zip(records, expected) {
      for (name, value) in entry where !name.hasPrefix("__") {
        guard let text = value as? String else { continue }
        #expect(record[name] as? String == text, "\(name)")
      }
      #expect(record["kata_cursor"] as? String == entry["__CURSOR"] as? String)
      #expect(record.values.allSatisfy { $0 is String || $0 is Int })
    }
    #expect(records[0]["kata_msg"] as? String == "record 0")
    #expect(records[0]["kata_pid"] as? Int == 7)
    #expect(records[2]["MESSAGE"] as? String == "\u{fffd}aé")
    #expect(records[2]["kata_subsystem"] as? String == "x")
    #expect(!peer.log.contains { $0.hasPrefix("bad") }, "\(peer.log)")
  }

  @Test(.seeded) func receiverIsKilledAgainAndAgain() throws {
    var generator = Seed.generator()
    let folder = try TemporaryFolder()
    let count = 12_000
    let lines = (0..<count).map {
      "time=\"2026-03-05T05:01:54.\(100_000_000 + $0)Z\" level=info msg=\"record \($0)\" name=kata-runtime pid=7 source=virtcontainers\n"
    }
    let log = try folder.write("kata.log", lines.joined())
    var peer = try ForwardPeer()
    let (files, port) = (peer.folder, peer.port)
    let errors = folder.url.appendingPathComponent("errors").path
    let run = try PipedRun(
      ["--endpoint", peer.endpoint, "--ack-timeout", "5s", "--stats", log], errors: errors)
    for _ in 0..<Self.rounds where run.isRunning {
      let size = peer.storedSize + generator.below(1 << 20)
      try Deadline.wait("more is stored") { !run.isRunning || peer.storedSize >= size }
      peer.kill()
      peer = try ForwardPeer(folder: files, port: port)
    }
    #expect(run.status() == 0)
    let stored = try peer.stored()
    try checkCopies(stored, chunksOnly: true)
    let text = try String(contentsOfFile: errors, encoding: .utf8)
    #expect(Set(try peer.cursors()).count == count, "\(text)")
    #expect(text.contains("\"acknowledged\":\(count)"), "\(text)")
  }

  /// Records of one place are the same; where only the receiver was killed, a copy is of the same chunk.
  private func checkCopies(_ stored: [[String: Any]], chunksOnly: Bool) throws {
    var known: [String: NSDictionary] = [:]
    var chunks: [String: String] = [:]
    for entry in stored {
      let record = try #require(entry["record"] as? NSDictionary)
      let cursor = try #require(record["kata_cursor"] as? String)
      let chunk = try #require(entry["chunk"] as? String)
      if let before = known[cursor] {
        guard before == record, !chunksOnly || chunks[cursor] == chunk else {
          Issue.record("two records have the place \(cursor)")
          return
        }
      }
      known[cursor] = record
      chunks[cursor] = chunk
    }
  }

  @Test(.seeded) func shipperIsKilledAgainAndAgain() throws {
    var generator = Seed.generator()
    let folder = try TemporaryFolder()
    let count = 12_000
    let journal = try Journal.make(entries(count), in: folder)
    let cursor = folder.url.appendingPathComponent("cursor").path
    let peer = try ForwardPeer()
    let arguments = [
      "--journal-file", journal, "--follow", "--cursor-file", cursor, "--endpoint", peer.endpoint,
      "--output-format", "fluentd",
    ]
    for _ in 0..<Self.rounds {
      let run = try PipedRun(arguments)
      let size = peer.storedSize + 1 + generator.below(2 << 20)
      try Deadline.wait("something more is stored") {
        try peer.storedSize >= size || peer.hasAll(count)
      }
      run.signal(SIGKILL)
      _ = run.status()
      // A position that is saved is behind what is stored.
      if let text = try? String(contentsOfFile: cursor, encoding: .utf8) {
        let place = String(text.prefix { $0 != "\n" })
        let all = try peer.cursors()
        #expect(all.contains(place), "the cursor is ahead")
      }
    }
    let run = try PipedRun(arguments)
    try Deadline.wait("everything is stored") { try peer.hasAll(count) }
    // The runs before may have stored everything: this one must have come so far that it takes signals.
    try Deadline.wait("it takes signals") { run.takesSignals }
    run.signal(SIGTERM)
    #expect(run.status() == 0)
    try checkCopies(try peer.stored(), chunksOnly: false)
    let last = try Journal.read(journal, ["-n1"]).first?["__CURSOR"] as? String
    #expect(try String(contentsOfFile: cursor, encoding: .utf8).hasPrefix("\(last ?? "?")\n"))
  }

  /// The window holds up the reading; a signal ends the wait, and what was not sent comes with the next run.
  @Test func stopWhileTheReceiverTakesNothing() throws {
    let folder = try TemporaryFolder()
    let count = 5_000
    let journal = try Journal.make(entries(count), in: folder)
    let cursor = folder.url.appendingPathComponent("cursor").path
    let stuck = try ForwardPeer(["--fault", "read-never"])
    let arguments = ["--journal-file", journal, "--follow", "--cursor-file", cursor, "--ack-timeout", "1s"]
    let errors = folder.url.appendingPathComponent("errors").path
    let run = try PipedRun(arguments + ["--endpoint", stuck.endpoint], errors: errors)
    try Deadline.wait("the receiver is told of") {
      try String(contentsOfFile: errors, encoding: .utf8).contains("records are waiting")
    }
    run.signal(SIGTERM)
    #expect(run.status() == 0)
    #expect(try String(contentsOfFile: errors, encoding: .utf8).contains("the next run sends them"))
    #expect(!FileManager.default.fileExists(atPath: cursor))
    let peer = try ForwardPeer()
    let next = try PipedRun(arguments + ["--endpoint", peer.endpoint])
    try Deadline.wait("everything is stored") { try peer.hasAll(count) }
    next.signal(SIGINT)
    #expect(next.status() == 0)
    #expect(Set(try peer.cursors()).count == count)
  }
}
