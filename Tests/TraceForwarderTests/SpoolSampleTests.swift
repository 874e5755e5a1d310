import Bytes
import Foundation
import Testing

@testable import TraceForwarder

/// The samples of `formats/spool`, which newer versions must still read. `KATA_RECORD=1` writes them and fails.
struct SpoolSampleTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("formats/spool")

  private static let texts = ["one", "two", "three"]

  /// Segments by what is wrong with them.
  private static var segments: [(name: String, bytes: [UInt8])] {
    var out = ByteWriter()
    out.put(SpoolFormat.magic)
    for text in texts { Array(text.utf8).withUnsafeBytes { SpoolFormat.append($0, to: &out) } }
    let valid = out.array
    var damaged = valid
    damaged[16 + 11 + 8] ^= 1
    return [
      ("valid/records.spool", valid), ("invalid/torn-tail.spool", Array(valid.dropLast(2))),
      ("invalid/damaged-record.spool", damaged), ("invalid/no-record.spool", Array(valid.prefix(5))),
    ]
  }

  static let readings: [(String, [String], damaged: UInt64, cut: UInt64)] = [
    ("valid/records.spool", ["one", "two", "three"], 0, 0),
    ("invalid/torn-tail.spool", ["one", "two"], 0, 11),
    ("invalid/damaged-record.spool", ["one", "three"], 1, 0), ("invalid/no-record.spool", [], 0, 0),
  ]

  @Test(arguments: readings)
  func samplesAreRead(_ name: String, _ texts: [String], _ damaged: UInt64, _ cut: UInt64) throws {
    let file = Self.folder.appendingPathComponent(name)
    let bytes = try #require(Self.segments.first { $0.name == name }?.bytes)
    if ProcessInfo.processInfo.environment["KATA_RECORD"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file)
      Issue.record("\(name) was recorded")
    }
    #expect(try [UInt8](Data(contentsOf: file)) == bytes)
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "spool-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.copyItem(
      at: file, to: directory.appendingPathComponent("00000000000000000001.spool"))
    let spool = try Spool(SpoolOptions(directory: directory.path))
    var reader = SpoolReader(spool, at: spool.start)
    var found: [String] = []
    while let batch = try reader.next(records: 10, bytes: 1 << 20) {
      batch.visitPayloads { found.append(String(decoding: $0, as: UTF8.self)) }
    }
    #expect(found == texts)
    #expect(spool.counts.damaged == damaged)
    #expect(spool.counts.cutBytes == cut)
  }

  @Test(arguments: [
    ("7 16\n", true), ("7 16", true), ("7\n", false), ("7 -1\n", false), ("18446744073709551615 16\n", false),
  ])
  func positionsAreRead(_ text: String, _ isGood: Bool) {
    #expect(SpoolPosition(text).map { "\($0)" } == (isGood ? "7 16" : nil))
  }
}
