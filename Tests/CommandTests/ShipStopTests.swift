import Foundation
import TestSupport
import Testing

/// Stops, reloads and second shippers: what an operator does to a shipper must not cost a record, or the service.
@Suite("Ship, stopped and reloaded", .ownThreads) struct ShipStopTests {
  private func line(_ text: String) -> String {
    "time=\"2026-03-05T05:01:54.123456789Z\" level=info msg=\"\(text)\" name=kata-runtime pid=7 sandbox=sb source=runtime\n"
  }

  private func settings(
    _ endpoint: String, _ folder: TemporaryFolder, receiver: String = "", files: String = ""
  )
    -> String
  {
    "[receiver]\nendpoint = \(endpoint)\n\(receiver)\n[journal]\nread = no\n[files]\npath = \(folder.path("*.log"))\n\(files)\n"
      + "[limits]\nsandbox-records = 0\nsandbox-bytes = 0\n"
  }

  /// A configuration whose status is off.
  private func alone(_ text: String, _ folder: TemporaryFolder, _ name: String = "alone.conf") throws
    -> String
  {
    try folder.write(
      name, "\(text)[service]\nstate-directory = \(folder.path("state"))\nstatus-address = off\n")
  }

  @Test("A stop while the receiver is slow loses nothing", arguments: [SIGTERM, SIGHUP])
  func stopWhileFull(_ signal: Int32) throws {
    let folder = try TemporaryFolder()
    let count = 20_000
    let padding = String(repeating: "x", count: 900)
    try folder.write("a.log", (0..<count).map { line("\($0) \(padding)") }.joined())
    let peer = try ForwardPeer(["--fault", "ack-late=0.3"])
    let text = settings(peer.endpoint, folder)
    var ship = try ShipProcess(text, in: folder)
    for round in 1...2 {
      // Chunks were acknowledged, so the window is full and the reader waits with a record in its hands.
      try ship.wait("some were acknowledged") { try ship.metric("records_acknowledged_total") > 0 }
      if signal == SIGHUP {
        ship.signal(SIGHUP)
        try ship.wait("it was read again") {
          ship.log.components(separatedBy: "was read again").count == round + 1
        }
      } else {
        #expect(ship.stop() == 0)
        ship = try ShipProcess(text, in: folder)
      }
    }
    try ship.wait("the last arrived") {
      try peer.records().last.map { ("\($0["kata_msg"] ?? "")").hasPrefix("\(count - 1) ") } ?? false
    }
    #expect(ship.stop() == 0)
    let numbers = try peer.records().compactMap { record in
      (record["kata_msg"] as? String).flatMap { $0.split(separator: " ").first }.flatMap { Int($0) }
    }
    let missing = Set(0..<count).subtracting(numbers)
    #expect(missing.isEmpty, "missing: \(missing.sorted().prefix(10))")
    #expect(numbers.count == count, "an orderly stop sends nothing twice")
  }

  @Test("A reload that cannot be used leaves the old configuration at work") func unusableReload() throws {
    let folder = try TemporaryFolder()
    let peer = try ForwardPeer()
    try folder.write("a.log", line("one"))
    let good = settings(peer.endpoint, folder)
    let ship = try ShipProcess(good, in: folder)
    try ship.wait("it arrived") { try peer.records().count == 1 }
    try ship.write(
      settings(peer.endpoint, folder, receiver: "shared-key-file = \(folder.path("no-key"))"))
    ship.signal(SIGHUP)
    try ship.wait("the missing key is told") {
      ship.log.contains("the configuration is wrong; the old one stays")
    }
    try folder.write("ship.conf", good + "[service]\nstate-directory = \(folder.path("no/such/place"))\n")
    ship.signal(SIGHUP)
    try ship.wait("the directory is told") {
      ship.log.contains("the configuration cannot be used; the old one stays")
    }
    try folder.write("b.log", line("two"))
    try ship.wait("the old one is at work") { try peer.records().count == 2 }
    #expect(ship.stop() == 0)
  }

  @Test("A second shipper with the same state directory is refused") func secondShipper() throws {
    let folder = try TemporaryFolder()
    let peer = try ForwardPeer()
    let ship = try ShipProcess(settings(peer.endpoint, folder), in: folder)
    let second = try Tool.run(["ship", try alone(settings(peer.endpoint, folder), folder)])
    #expect(second.status == 1)
    #expect(second.errorText.contains("is another shipper using it?"), "\(second.errorText)")
    #expect(ship.stop() == 0)
  }

  @Test("The password of a URL is not in the log, and a record that is too long is counted") func log() throws
  {
    let folder = try TemporaryFolder()
    let peer = try ForwardPeer()
    try folder.write("a.log", line("ok") + line(String(repeating: "x", count: 5000)) + line("after"))
    let ship = try ShipProcess(settings(peer.endpoint, folder, files: "max-record-size = 2K"), in: folder)
    try ship.wait("both arrived") { try peer.records().count == 2 }
    try ship.wait("the third is counted") { try ship.metric("file_records_left_out_total") == 1 }
    #expect(ship.stop() == 0)
    let away = try ShipProcess(
      settings("http://joe:hunter2@127.0.0.1:\(try Rotel.freePort())", folder), in: folder)
    away.stop()
    #expect(!away.log.contains("hunter2"), "\(away.log)")
  }

  @Test("Entries that journald removed while no shipper ran are told", .needs(Journal.remote)) func gap()
    throws
  {
    let folder = try TemporaryFolder()
    let journal = try folder.make("journal")
    let peer = try ForwardPeer()
    func make(_ numbers: Range<Int>) throws {
      let entries = numbers.map { number in
        Journal.entry(
          number,
          Journal.text([
            ("SYSLOG_IDENTIFIER", "kata"), ("PRIORITY", "6"),
            ("MESSAGE", String(line("\(number)").dropLast())),
          ]))
      }
      _ = try Journal.make(entries, in: folder, name: "journal/\(numbers.lowerBound).journal")
    }
    let text =
      "[receiver]\nendpoint = \(peer.endpoint)\n[journal]\nidentifier = kata\ndirectory = \(journal.path)\n"
    try make(0..<3)
    let first = try ShipProcess(text, in: folder)
    try first.wait("three arrived") { try peer.records().count == 3 }
    #expect(try first.metric("journal_gaps_total") == 0)
    #expect(first.stop() == 0)
    try FileManager.default.removeItem(atPath: folder.path("journal/0.journal"))
    try make(10..<13)
    let second = try ShipProcess(text, in: folder)
    try second.wait("six arrived") { try peer.records().count == 6 }
    try second.wait("the gap is counted") { try second.metric("journal_gaps_total") == 1 }
    #expect(second.log.contains("entries of the journal are gone"))
    #expect(second.stop() == 0)
  }

  @Test("--check tries a collector, and reads the positions") func check() throws {
    let folder = try TemporaryFolder()
    let port = try Rotel.freePort()
    let away = try Tool.run([
      "ship", "--check", try alone(settings("http://127.0.0.1:\(port)", folder), folder),
    ])
    #expect(away.status == 1 && !away.text.contains("reached"), "\(away.text)")
    let peer = try ForwardPeer()
    _ = try folder.make("state")
    let file = try alone(settings(peer.endpoint, folder), folder)
    #expect(try Tool.run(["ship", "--check", file]).status == 0)
    try folder.write("state/positions", "nonsense")
    let damaged = try Tool.run(["ship", "--check", file])
    #expect(damaged.status == 1 && damaged.errorText.contains("it is not a positions file"))
    let zero = try folder.write("zero.conf", settings(peer.endpoint, folder, receiver: "ack-timeout = 0s"))
    #expect(try Tool.run(["ship", "--check", zero]).status == 2)
  }
}
