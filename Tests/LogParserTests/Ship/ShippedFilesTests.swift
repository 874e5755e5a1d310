import Bytes
import Foundation
import Logging
import TestSupport
import Testing

@testable import LogParser

/// Files that are written, rotated and truncated as programs and logrotate do it, and what a shipper reads of them.
@Suite("Files of a shipper") struct ShippedFilesTests {
  /// A shipper's files, with a clock of their own.
  private final class Fixture {
    let folder: TemporaryFolder
    var now = 0
    var messages: [String] = []
    /// How far all was read when each message came.
    var places = ShipPositions()
    private var files: ShippedFiles
    private let configuration: ShipConfiguration

    init(_ folder: TemporaryFolder, pattern: String, limit: Int = 16) {
      self.folder = folder
      var configuration = ShipConfiguration()
      configuration.paths = [folder.path(pattern)]
      configuration.fileLimit = limit
      self.configuration = configuration
      files = ShippedFiles(configuration, resuming: ShipPositions(), Attribution(names: []), .silent)
    }

    var counts: ShippedFiles.Counts { files.counts }

    /// Lets time pass and reads what there is.
    func read(after milliseconds: Int = 1000, atMost: Int = .max) {
      now += milliseconds
      var record = Record()
      var left = atMost
      var isRefused = false
      repeat {
        let hasMore = files.turn(&record, now: now) { record, _, _ in
          isRefused = left == 0
          if isRefused { return false }
          left -= 1
          messages.append(String(decoding: record.message.array, as: UTF8.self))
          places.files = files.places
          places.time = files.lookedAt
          return true
        }
        if isRefused {
          // As a stop with a full window: the next run begins with the record that was not taken.
          places.files = files.places
          return restart()
        }
        if !hasMore { return }
      } while left > 0
    }

    /// Ends the shipper after the last message that was taken, and starts another one.
    func restart() {
      files = ShippedFiles(configuration, resuming: places, Attribution(names: []), .silent)
    }
  }

  private func line(_ message: String) -> String {
    "time=\"2026-03-05T05:01:32.5Z\" level=info msg=\(message) name=kata-runtime pid=1 source=runtime\n"
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

  @Test("Files that are there, that grow and that come are read") func growth() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "*.log")
    try folder.write("a.log", line("a1") + line("a2"))
    fixture.read()
    #expect(fixture.messages == ["a1", "a2"])
    try append(folder.path("a.log"), line("a3"))
    try append(folder.path("b.log"), line("b1"))
    try folder.write("c.txt", line("c1"))
    fixture.read()
    #expect(fixture.messages == ["a1", "a2", "a3", "b1"])
    #expect(fixture.counts.open == 2)
  }

  @Test("A rotated file is read to its end under its new name, and the new one from its start")
  func rotation() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "a.log")
    try folder.write("a.log", line("1"))
    fixture.read()
    try FileManager.default.moveItem(atPath: folder.path("a.log"), toPath: folder.path("a.log.1"))
    try append(folder.path("a.log.1"), line("2"))
    fixture.read()
    try append(folder.path("a.log"), line("4"))
    // A writer that has not opened the new file yet.
    try append(folder.path("a.log.1"), line("3"))
    fixture.read()
    #expect(fixture.messages.sorted() == ["1", "2", "3", "4"])
    for _ in 0..<10 { fixture.read() }
    #expect(fixture.counts.open == 1)
    #expect(fixture.messages.count == 4)
  }

  @Test("A file that was rotated while no shipper ran is read on under its new name") func rotationMeanwhile()
    throws
  {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "a.log")
    try folder.write("a.log", line("1") + line("2"))
    fixture.read()
    try append(folder.path("a.log"), line("3"))
    try FileManager.default.moveItem(atPath: folder.path("a.log"), toPath: folder.path("a.log.1"))
    try append(folder.path("a.log"), line("4"))
    fixture.restart()
    fixture.read()
    #expect(fixture.messages.sorted() == ["1", "2", "3", "4"])
    #expect(fixture.counts.gone == 0)
  }

  @Test("A file that went while no shipper ran is counted") func gone() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "a.log")
    try folder.write("a.log", line("1"))
    fixture.read()
    try FileManager.default.removeItem(atPath: folder.path("a.log"))
    fixture.restart()
    fixture.read()
    #expect(fixture.counts.gone == 1)
  }

  @Test("A truncated file is read from its start, while it is followed and after a restart") func truncation()
    throws
  {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "a.log")
    let path = try folder.write("a.log", line("first") + line("second"))
    fixture.read()
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: Data(line("third").utf8))
    fixture.read()
    #expect(fixture.messages == ["first", "second", "third"])
    #expect(fixture.counts.truncations == 1)
    // Longer than before, so that its size does not tell.
    try file.truncate(atOffset: 0)
    try file.seek(toOffset: 0)
    try file.write(contentsOf: Data((line("fourth-and-longer") + line("fifth")).utf8))
    fixture.restart()
    fixture.read()
    #expect(fixture.messages == ["first", "second", "third", "fourth-and-longer", "fifth"])
  }

  @Test("After a restart anywhere, each record comes once") func restarts() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "*.log")
    let panic =
      "thread 'main' panicked at src/main.rs:1:1:\nno such thing\nstack backtrace:\n   0: rust_begin_unwind\n"
    try folder.write("a.log", (0..<40).map { line("a\($0)") }.joined() + panic + line("a40"))
    try folder.write("b.log", (0..<40).map { line("b\($0)") }.joined())
    for _ in 0..<100 {
      fixture.read(atMost: 1)
      fixture.restart()
    }
    fixture.read()
    #expect(fixture.messages.count == 82)
    #expect(Set(fixture.messages).count == 82)
  }

  @Test("Files beyond the limit wait for their turn") func limit() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "*.log", limit: 2)
    for name in ["a", "b", "c"] { try folder.write("\(name).log", line(name)) }
    fixture.read()
    #expect(fixture.messages.count == 2)
    #expect(fixture.counts.waiting == 1)
    try FileManager.default.removeItem(atPath: folder.path("a.log"))
    for _ in 0..<10 { fixture.read() }
    #expect(Set(fixture.messages) == ["a", "b", "c"])
    #expect(fixture.counts.waiting == 0)
  }

  @Test("A file that is rotated while it waits for its turn is read; one that is removed is counted")
  func rotatedWhileWaiting() throws {
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "*.log", limit: 1)
    for name in ["a", "b", "c"] { try folder.write("\(name).log", line(name)) }
    fixture.read()
    #expect(fixture.messages == ["a"])
    try FileManager.default.moveItem(atPath: folder.path("b.log"), toPath: folder.path("b.log.1"))
    try FileManager.default.removeItem(atPath: folder.path("c.log"))
    for _ in 0..<3 { fixture.read() }
    #expect(fixture.messages == ["a", "b"])
    #expect(fixture.counts.gone == 1)
  }

  @Test("Whatever is appended, rotated and interrupted, each record comes once", .seeded) func random() throws
  {
    var random = Seed.generator()
    let folder = try TemporaryFolder()
    let fixture = Fixture(folder, pattern: "*.log")
    var written: [String] = []
    var rotations = 0
    for round in 0..<300 {
      let name = random.pick(["a", "b", "c"])
      let path = folder.path("\(name).log")
      switch random.below(6) {
      case 0 where FileManager.default.fileExists(atPath: path):
        rotations += 1
        try FileManager.default.moveItem(atPath: path, toPath: folder.path("\(name).log.\(rotations)"))
      case 1: fixture.restart()
      case 2: fixture.read(after: 1000, atMost: random.below(4))
      case 3: fixture.read(after: 2000)
      default:
        written.append("\(name)\(round)")
        try append(path, line("\(name)\(round)"))
      }
      fixture.read(after: 1000, atMost: 1)
    }
    for _ in 0..<10 { fixture.read() }
    let came = Set(fixture.messages)
    #expect(came == Set(written), "missing: \(Set(written).subtracting(came).sorted())")
    #expect(fixture.messages.count == written.count)
  }
}
