import Foundation
import System
import TestSupport
import Testing

@testable import TraceForwarder

/// Spans that were refused for good: on disk at once, bounded, and delivered again when asked for.
@Suite(.ownThreads) struct SetAsideTests {
  private func folder(_ body: (URL) throws -> Void) throws {
    try TemporaryFolder.use(body)
  }

  private func add(_ text: String, to setAside: SetAside, status: Int = 400) throws {
    try Array(text.utf8).withUnsafeBytes {
      try setAside.add($0, exporter: "otlp", status: status, reason: "bad \u{1b}[31m")
    }
  }

  private func names(_ url: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).filter { $0.hasSuffix(".spool") }
      .sorted()
  }

  private func texts(_ spool: Spool) throws -> [String] {
    var reader = SpoolReader(spool, at: spool.start)
    var found: [String] = []
    while let batch = try reader.next(records: 100, bytes: 1 << 20) {
      batch.visitPayloads { found.append(String(decoding: $0, as: UTF8.self)) }
    }
    return found
  }

  /// Moves the files as `kata-trace-forwarder spool resend` does.
  private func moveToResend(_ spool: URL) throws {
    let aside = spool.appendingPathComponent("set-aside")
    let resend = aside.appendingPathComponent("resend")
    try FileManager.default.createDirectory(at: resend, withIntermediateDirectories: true)
    for name in names(aside) {
      try FileManager.default.moveItem(
        at: aside.appendingPathComponent(name), to: resend.appendingPathComponent(name))
    }
  }

  @Test func nothingIsCreatedBeforeTheFirstSpanAndEachIsThereAtOnce() throws {
    try folder { url in
      let spool = try Spool(SpoolOptions(directory: url.path))
      let aside = url.appendingPathComponent("set-aside")
      #expect(!FileManager.default.fileExists(atPath: aside.path))
      try add("one", to: spool.setAside)
      try add("two", to: spool.setAside, status: 422)
      var status = stat()
      #expect(stat(aside.path, &status) == 0 && status.st_mode & 0o777 == 0o700)
      #expect(
        stat(aside.appendingPathComponent(names(aside)[0]).path, &status) == 0
          && status.st_mode & 0o777 == 0o600)
      let inspection = try SpoolInspection(url.path)
      #expect(inspection.setAside.map(\.survey.records) == [2])
      #expect(inspection.refusals.keys.map(\.status).sorted() == [400, 422])
      #expect(!inspection.listText.contains("\u{1b}"))
    }
  }

  @Test func theOldestFilesAreDeletedAndCountedAtTheLimit() throws {
    try folder { url in
      let losses = LossLedger(log: .silent)
      let setAside = SetAside(
        directory: url.appendingPathComponent("a").path, maximumSize: 64 << 10, losses: losses)
      let text = String(repeating: "x", count: 1000)
      for number in 0..<200 { try add("\(number) \(text)", to: setAside) }
      let files = try names(url.appendingPathComponent("a")).map {
        try Data(contentsOf: url.appendingPathComponent("a/\($0)"))
      }
      #expect(files.reduce(0) { $0 + $1.count } <= 64 << 10)
      let left = files.reduce(0) { $0 + $1.count / 1000 }
      let lost = Int(losses.count(.setAsideFull))
      #expect(lost > 100 && (195...205).contains(lost + left), "\(lost) lost, \(left) left")
      // A span larger than the limit must not cause all others to be deleted.
      try add(String(repeating: "y", count: 70_000), to: setAside)
      #expect(Int(losses.count(.setAsideFull)) == lost + 1)
    }
  }

  @Test func aFailedWriteThrowsAndLeavesNoHalfRecord() throws {
    try folder { url in
      let losses = LossLedger(log: .silent)
      // The directory's place is taken by a file.
      let place = url.appendingPathComponent("a")
      try Data().write(to: place)
      let setAside = SetAside(directory: place.path, maximumSize: 1 << 20, losses: losses)
      #expect(throws: SystemCallError.self) { try add("one", to: setAside) }
      try FileManager.default.removeItem(at: place)
      try add("two", to: setAside)
      #expect(names(place).count == 1 && losses.total == 0)
    }
  }

  @Test func whatIsMovedIsDeliveredAgainBesideNewSpans() throws {
    try folder { url in
      let spool = try Spool(SpoolOptions(directory: url.path))
      _ = spool.register("otlp")
      try add("one", to: spool.setAside)
      try add("two", to: spool.setAside)
      try moveToResend(url)
      // The file is still open for appending; what comes now is set aside, not sent again.
      try add("three", to: spool.setAside)
      spool.look()
      #expect(try texts(spool) == ["one", "two"])
      #expect(names(url.appendingPathComponent("set-aside/resend")).isEmpty)
      #expect(names(url.appendingPathComponent("set-aside")).count == 1)
      spool.look()
      #expect(try texts(spool) == ["one", "two"])
    }
  }

  @Test func aSpanThatIsSetAsideAsItsFileIsMovedIsDeliveredAgainWithIt() throws {
    try folder { url in
      let spool = try Spool(SpoolOptions(directory: url.path))
      try add("one", to: spool.setAside)
      // A new file's number is after those that wait to be delivered again, so that none takes another's name.
      try moveToResend(url)
      try add("two", to: spool.setAside)
      try moveToResend(url)
      #expect(names(url.appendingPathComponent("set-aside/resend")).count == 2)
      spool.look()
      #expect(try texts(spool) == ["one", "two"])
    }
  }

  @Test func aFullSpoolDelaysDeliveringAgainAndRepeatsNothing() throws {
    try folder { url in
      var options = SpoolOptions(directory: url.path)
      options.maximumSize = 256 << 10
      options.segmentSize = 64 << 10
      let spool = try Spool(options)
      let start = spool.register("otlp")
      let text = String(repeating: "x", count: 4000)
      for number in 0..<200 { try add("\(number) \(text)", to: spool.setAside) }
      try moveToResend(url)
      var found: [String] = []
      var reader = SpoolReader(spool, at: start)
      for _ in 0..<50 {
        spool.look()
        while let batch = try reader.next(records: 100, bytes: 1 << 20) {
          batch.visitPayloads { found.append(String(decoding: $0, as: UTF8.self)) }
          spool.acknowledge(batch.end, by: "otlp")
        }
      }
      #expect(found == (0..<200).map { "\($0) \(text)" })
      #expect(names(url.appendingPathComponent("set-aside/resend")).isEmpty)
      #expect(spool.losses.total == 0)
    }
  }

  @Test func damageInAFileOfSpansThatWereSetAsideIsCountedAndTheRestDelivered() throws {
    try folder { url in
      do {
        let spool = try Spool(SpoolOptions(directory: url.path))
        for text in ["one", "two", "three"] { try add(text, to: spool.setAside) }
      }
      try moveToResend(url)
      let file = url.appendingPathComponent("set-aside/resend/\(SpoolFormat.fileName(1))")
      var bytes = try Data(contentsOf: file)
      let place = try #require(bytes.range(of: Data("two".utf8)))
      bytes[place.lowerBound] ^= 1
      try bytes.write(to: file)
      let spool = try Spool(SpoolOptions(directory: url.path))
      spool.look()
      #expect(try texts(spool) == ["one", "three"])
      #expect(spool.losses.count(.spoolDamaged) == 1)
      #expect(try Data(contentsOf: URL(fileURLWithPath: file.path + ".damaged")) == bytes)
    }
  }
}
