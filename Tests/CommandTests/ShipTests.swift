import Foundation
import TestSupport
import Testing

/// The service that ships a node's logs, from the real binary to a receiver that stores what it acknowledges.
@Suite("Ship", .ownThreads, .needs(Journal.remote)) struct ShipTests {
  private func line(_ text: String, sandbox: String = "sb") -> String {
    "time=\"2026-03-05T05:01:54.123456789Z\" level=info msg=\"\(text)\" name=kata-runtime pid=7 sandbox=\(sandbox) source=runtime\n"
  }

  /// A console line of a guest, as the runtime logs it.
  private func console(_ text: String, sandbox: String) -> String {
    "time=\"2026-03-05T05:01:54.123456789Z\" level=debug msg=\"reading guest console\" console-protocol=unix name=kata-runtime pid=7 sandbox=\(sandbox) source=virtcontainers subsystem=sandbox vmconsole=\"\(text)\"\n"
  }

  private func messages(_ peer: ForwardPeer) throws -> [String] {
    try peer.records().compactMap { $0["kata_msg"] as? String }
  }

  private func append(_ path: String, _ text: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  private func files(_ peer: ForwardPeer, _ folder: TemporaryFolder, _ more: String = "") -> String {
    "[receiver]\nendpoint = \(peer.endpoint)\nack-timeout = 2s\n[journal]\nread = no\n[files]\npath = \(folder.path("*.log"))\n\(more)"
  }

  @Test("The journal and files arrive, with their fields and a cursor each") func journalAndFiles() throws {
    let folder = try TemporaryFolder()
    let journal = try folder.make("journal")
    let entries = (0..<3).map { number in
      Journal.entry(
        number,
        Journal.text([
          ("SYSLOG_IDENTIFIER", "kata"), ("PRIORITY", "6"),
          ("MESSAGE", String(line("entry \(number)").dropLast())),
        ]))
    }
    _ = try Journal.make(entries, in: folder, name: "journal/test.journal")
    try folder.write("a.log", line("in a file"))
    let peer = try ForwardPeer()
    let ship = try ShipProcess(
      "[receiver]\nendpoint = \(peer.endpoint)\n[journal]\nidentifier = kata\ndirectory = \(journal.path)\n[files]\npath = \(folder.path("*.log"))\n",
      in: folder)
    try ship.wait("all arrived") { try messages(peer).count == 4 }
    let records = try peer.records()
    let entry = try #require(records.first { $0["kata_msg"] as? String == "entry 1" })
    #expect(entry["SYSLOG_IDENTIFIER"] as? String == "kata" && entry["_HOSTNAME"] as? String == "node1")
    #expect((entry["kata_cursor"] as? String)?.hasPrefix("s=") == true)
    let file = try #require(records.first { $0["kata_msg"] as? String == "in a file" })
    #expect(file["kata_file"] as? String == folder.path("a.log"))
    #expect((file["kata_cursor"] as? String)?.hasPrefix("i=") == true)
    #expect(file["kata_sandbox"] as? String == "sb")
    #expect(ship.stop() == 0)
    // Nothing comes twice after an orderly stop.
    let again = try ShipProcess(files(peer, folder), in: folder)
    try append(folder.path("a.log"), line("later"))
    try again.wait("the new one arrived") { try messages(peer).contains("later") }
    #expect(again.stop() == 0)
    #expect(try messages(peer).count == 5)
  }

  @Test("Whoever is killed and whatever is rotated, nothing is lost", .seeded) func kills() throws {
    let folder = try TemporaryFolder()
    let rounds = Deadline.isSlow ? 50 : 5
    let result = try Tool.run(
      Repository.path(".build/venv/bin/python"),
      [
        Repository.path("Tests/Support/ship-kills"), try Tool.path, folder.url.path, "--shipper-kills",
        "\(rounds)", "--receiver-kills", "\(rounds)", "--seed", "\(Seed.ofRun % 1_000_000)",
      ])
    #expect(result.status == 0, "\(result.text)\(result.errorText)")
    print(result.text)
  }

  @Test("A receiver that is away is shown, and records wait for it") func receiverAway() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.log", line("waits"))
    let gone = try ForwardPeer()
    gone.kill()
    let ship = try ShipProcess(files(gone, folder), in: folder)
    try ship.wait("it is not ready") { try ship.get("/readyz").status == 503 }
    #expect(try ship.get("/readyz").text.contains("nothing was acknowledged for"))
    #expect(try ship.get("/healthz").status == 200)
    #expect(try ship.metric("failing") == 1)
    let peer = try ForwardPeer(folder: gone.folder, port: gone.port)
    try ship.wait("it arrived") { try messages(peer) == ["waits"] }
    try ship.wait("it is ready again") { try ship.get("/readyz").status == 200 }
    #expect(try ship.metric("records_acknowledged_total") == 1)
    #expect(ship.stop() == 0)
  }

  @Test("SIGHUP takes a new configuration, and refuses a wrong one") func reload() throws {
    let folder = try TemporaryFolder()
    let (first, second) = (try ForwardPeer(), try ForwardPeer())
    try folder.write("a.log", line("one"))
    let ship = try ShipProcess(files(first, folder), in: folder)
    try ship.wait("the first arrived") { try messages(first) == ["one"] }
    try ship.write("[receiver]\nendpiont = tcp://127.0.0.1:1\n")
    ship.signal(SIGHUP)
    try ship.wait("it said what is wrong") { ship.log.contains("unknown key \\\"endpiont\\\"") }
    try append(folder.path("a.log"), line("two"))
    try ship.wait("the old one is in use") { try messages(first) == ["one", "two"] }
    try ship.write(files(second, folder))
    ship.signal(SIGHUP)
    try ship.wait("it was read") { ship.log.contains("the configuration was read again") }
    try append(folder.path("a.log"), line("three"))
    try ship.wait("the new one is in use") { try messages(second) == ["three"] }
    #expect(try messages(first) == ["one", "two"])
    #expect(ship.stop() == 0)
  }

  @Test("One guest's flood is cut and marked; another guest's records all arrive") func flood() throws {
    let folder = try TemporaryFolder()
    let peer = try ForwardPeer()
    let text =
      (0..<20_000).map { console("flood \($0)", sandbox: "noisy") }.joined()
      + (0..<50).map { console("quiet \($0)", sandbox: "quiet") }.joined()
    try folder.write("a.log", text)
    let ship = try ShipProcess(
      files(peer, folder, "[limits]\nsandbox-records = 100\nsandbox-burst = 2\n"), in: folder)
    try ship.wait("the quiet guest's last record arrived") {
      try peer.records().contains { ("\($0)").contains("quiet 49") }
    }
    try ship.wait("the loss is marked") {
      try peer.records().contains { $0["kata_dropped_records"] != nil }
    }
    #expect(ship.stop() == 1, "dropped records are told by the exit status")
    let records = try peer.records()
    let quiet = records.filter { $0["kata_sandbox"] as? String == "quiet" }
    #expect(quiet.count == 50)
    let marks = records.filter { $0["kata_dropped_records"] != nil }
    let dropped = marks.compactMap { ($0["kata_dropped_records"] as? String).flatMap { Int($0) } }.reduce(
      0, +)
    #expect(marks.allSatisfy { $0["kata_sandbox"] as? String == "noisy" })
    let noisy = records.filter { $0["kata_sandbox"] as? String == "noisy" }.count - marks.count
    #expect(noisy + dropped == 20_000)
    #expect(noisy >= 200)
  }

  @Test("Memory stays within 24 MiB while a receiver takes nothing and while all is read") func memory()
    throws
  {
    let folder = try TemporaryFolder()
    let gone = try ForwardPeer()
    gone.kill()
    for name in 0..<20 {
      let padding = String(repeating: "x", count: 900)
      try folder.write("\(name).log", (0..<4000).map { line("\(name) \($0) \(padding)") }.joined())
    }
    let ship = try ShipProcess(
      files(gone, folder, "[limits]\nsandbox-records = 0\nsandbox-bytes = 0\n"), in: folder)
    try ship.wait("the window is full") { try ship.metric("records_read_total") > 2000 }
    let read = try ship.metric("records_read_total")
    Deadline.pause(seconds: 1)
    #expect(try ship.metric("records_read_total") < read + 20_000, "it reads on although nothing is taken")
    var most = ship.memory
    let peer = try ForwardPeer(folder: gone.folder, port: gone.port)
    try ship.wait("all arrived") {
      most = max(most, ship.memory)
      return try ship.metric("records_acknowledged_total") == 80_000
    }
    #expect(most < 24 << 20, "\(most >> 20) MiB")
    #expect(Set(try peer.cursors()).count == 80_000)
    #expect(ship.stop() == 0)
  }

  @Test("--check tells what is wrong, which files match and whether the receiver answers") func check() throws
  {
    let folder = try TemporaryFolder()
    try folder.write("a.log", line("one"))
    let peer = try ForwardPeer()
    let good = try folder.write("good.conf", files(peer, folder))
    let result = try Tool.run(["ship", "--check", good])
    #expect(result.status == 0, "\(result.errorText)")
    #expect(result.text.contains("files: 1 match now: \(folder.path("a.log"))"))
    #expect(result.text.contains("\(peer.endpoint): reached"))
    peer.kill()
    let away = try Tool.run(["ship", "--check", good])
    #expect(away.status == 1)
    #expect(away.errorText.contains("127.0.0.1:\(peer.port)"))
    let bad = try folder.write("bad.conf", "[receiver]\nendpoint = tls://h\n")
    #expect(try Tool.run(["ship", "--check", bad]).status == 1)
    #expect(try Tool.run(["ship", folder.path("missing.conf")]).status == 2)
    #expect(try Tool.run(["ship"]).status == 2)
    #expect(try Tool.run(["ship", "--help"]).text.contains("[receiver]"))
  }

  @Test("The configuration of the example is good") func example() throws {
    let result = try Tool.run(["ship", "--check", Repository.path("examples/ship/ship.conf")])
    // Whether there are a receiver and a journal here is another matter.
    #expect(result.status != 2, "\(result.errorText)")
  }
}
