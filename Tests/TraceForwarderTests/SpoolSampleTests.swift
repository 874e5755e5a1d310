import Bytes
import Foundation
import System
import TestSupport
import Testing

@testable import TraceForwarder

/// The samples of `formats/spool`, which newer versions must still read. `KATA_RECORD=1` writes them and fails.
@Suite(.ownThreads) struct SpoolSampleTests {
  private static let folder = Repository.url("formats/spool")

  private static let texts = ["one", "two", "three"]
  /// A real one is random.
  private static let key = SpoolKey(marker: 0x6d61_726b_6572_2121, seed: 0x7365_6564)

  private static func segment(_ version: Int) -> [UInt8] {
    var out = ByteWriter()
    out.put(version == 1 ? SpoolFormat.magic : SpoolHeader.encode(key, .segment))
    for text in texts {
      Array(text.utf8).withUnsafeBytes {
        if version == 1 { SpoolFormat.append($0, to: &out) } else { key.append($0, to: &out) }
      }
    }
    return out.array
  }

  private static func changed(_ bytes: [UInt8], at offset: Int) -> [UInt8] {
    var bytes = bytes
    bytes[offset] ^= 1
    return bytes
  }

  /// A header of a version that is not there yet.
  private static func later(_ kind: SpoolHeader.Kind) -> [UInt8] {
    var copy = ByteWriter()
    copy.put(string: kind.rawValue)
    copy.put("3")
    copy.put([UInt8](repeating: 0x2a, count: 20))
    copy.little(CRC32C.checksum(copy.bytes))
    return copy.array + copy.array + copy.array
  }

  private static var setAside: [UInt8] {
    var out = ByteWriter()
    out.put(SpoolHeader.encode(key, .segment))
    for (number, text) in texts.enumerated() {
      var message = ByteWriter()
      Array(text.utf8).withUnsafeBytes {
        SetAsideRecord(
          time: 1_700_000_000_000_000_000, exporter: "otlp", status: 400 + number,
          reason: "the answer of \(text)"
        ).encode($0, to: &message)
      }
      key.append(message.bytes, to: &out)
    }
    return out.array
  }

  private static let position = SpoolPosition(segment: 7, offset: 115)

  /// Every sample's bytes.
  private static var samples: [String: [UInt8]] {
    let old = segment(1)
    let new = segment(2)
    let slot = PositionFile.slot(position, key)
    let before = PositionFile.slot(SpoolPosition(segment: 7, offset: 96), key)
    return [
      "valid/records.spool": old, "invalid/torn-tail.spool": Array(old.dropLast(2)),
      "invalid/damaged-record.spool": changed(old, at: 16 + 11 + 8),
      "invalid/damaged-length.spool": changed(old, at: 16 + 11 + 1),
      "invalid/no-record.spool": Array(old.prefix(5)),
      "valid/records-2.spool": new, "invalid/torn-tail-2.spool": Array(new.dropLast(2)),
      "invalid/damaged-record-2.spool": changed(new, at: 96 + 19 + 16),
      "invalid/damaged-length-2.spool": changed(new, at: 96 + 19 + 9),
      "invalid/damaged-header-2.spool": changed(new, at: 7),
      "invalid/no-header-2.spool": [UInt8](repeating: 0, count: 96) + new[96...],
      "invalid/no-record-2.spool": Array(new.prefix(50)), "invalid/later.spool": later(.segment),
      "invalid/no-segment.spool": [UInt8](repeating: 0x2e, count: 200),
      "valid/key": SpoolHeader.encode(key, .key),
      "invalid/damaged.key": changed(SpoolHeader.encode(key, .key), at: 7),
      "invalid/later.key": later(.key),
      "valid/version-1.position": Array("7 115\n".utf8), "valid/version-2.position": slot + before,
      "invalid/one-line.position": changed(slot, at: 30) + before,
      "invalid/damaged.position": changed(slot, at: 30) + changed(before, at: 30),
      "invalid/later.position": Array("kata-spool-position 3 7 115 -".utf8) + slot[29...]
        + Array("kata-spool-position 3 7 115 -".utf8) + slot[29...],
      "valid/set-aside.spool": setAside,
    ]
  }

  private func sample(_ name: String) throws -> URL {
    let file = Self.folder.appendingPathComponent(name)
    let bytes = try #require(Self.samples[name])
    if ProcessInfo.processInfo.environment["KATA_RECORD"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: file)
      Issue.record("\(name) was recorded")
    }
    #expect(try [UInt8](Data(contentsOf: file)) == bytes, "\(name)")
    return file
  }

  private func directory(_ body: (URL) throws -> Void) throws {
    try TemporaryFolder.use(body)
  }

  static let readings: [(String, [String], damaged: UInt64, cut: UInt64)] = [
    ("valid/records.spool", ["one", "two", "three"], 0, 0),
    ("invalid/torn-tail.spool", ["one", "two"], 0, 11),
    ("invalid/damaged-record.spool", ["one", "three"], 1, 0),
    // Without a secret nothing after it can be told from a guest's.
    ("invalid/damaged-length.spool", ["one"], 2, 0), ("invalid/no-record.spool", [], 0, 0),
    ("valid/records-2.spool", ["one", "two", "three"], 0, 0),
    ("invalid/torn-tail-2.spool", ["one", "two"], 0, 19),
    ("invalid/damaged-record-2.spool", ["one", "three"], 1, 0),
    ("invalid/damaged-length-2.spool", ["one", "three"], 1, 0),
    ("invalid/damaged-header-2.spool", ["one", "two", "three"], 0, 0),
    ("invalid/no-header-2.spool", ["one", "two", "three"], 0, 0),
    ("invalid/no-record-2.spool", [], 0, 0), ("invalid/no-segment.spool", [], 1, 0),
  ]

  @Test(arguments: readings)
  func segmentsAreRead(_ name: String, _ texts: [String], _ damaged: UInt64, _ cut: UInt64) throws {
    try directory { directory in
      try FileManager.default.copyItem(
        at: sample("valid/key"), to: directory.appendingPathComponent("key"))
      let file = directory.appendingPathComponent("00000000000000000001.spool")
      try FileManager.default.copyItem(at: sample(name), to: file)
      let spool = try Spool(SpoolOptions(directory: directory.path))
      var reader = SpoolReader(spool, at: spool.start)
      var found: [String] = []
      while let batch = try reader.next(records: 10, bytes: 1 << 20) {
        batch.visitPayloads { found.append(String(decoding: $0, as: UTF8.self)) }
      }
      #expect(found == texts)
      #expect(
        spool.counts.damaged == damaged && spool.losses.count(.spoolDamaged) == damaged + (cut > 0 ? 1 : 0))
      #expect(spool.counts.cutBytes == cut)
      // What is not a segment is kept.
      if name.contains("no-segment") {
        #expect(FileManager.default.fileExists(atPath: file.path + ".damaged"))
      }
    }
  }

  @Test(arguments: ["invalid/later.spool", "invalid/later.key", "invalid/later.position"])
  func laterVersionsAreRefusedByNameAndLeftAlone(_ name: String) throws {
    for folder in name.hasSuffix(".spool") ? ["", "set-aside/", "set-aside/resend/"] : [""] {
      try directory { directory in
        let names = [".spool": "00000000000000000003.spool", ".key": "key", ".position": "otlp.position"]
        let place = try #require(names.first { name.hasSuffix($0.key) }?.value)
        let file = directory.appendingPathComponent(folder + place)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: sample(name), to: file)
        do throws(SpoolFailure) {
          _ = try Spool(SpoolOptions(directory: directory.path))
          Issue.record("it was opened")
        } catch {
          let text = error.description
          #expect(
            text.contains(file.path) && text.contains("version 3") && text.contains("--spool-dir"), "\(text)")
        }
        #expect(try Array(Data(contentsOf: file)) == Self.samples[name])
      }
    }
  }

  /// A spool that an earlier forwarder left is delivered from where it was, and new spans follow.
  @Test func version1SpoolIsContinued() throws {
    try directory { directory in
      let old = directory.appendingPathComponent("00000000000000000004.spool")
      try FileManager.default.copyItem(at: sample("valid/records.spool"), to: old)
      try Data("4 27\n".utf8).write(to: directory.appendingPathComponent("otlp.position"))
      for run in 0..<2 {
        let spool = try Spool(SpoolOptions(directory: directory.path))
        let position = spool.register("otlp")
        if run == 0 {
          var record = ByteWriter()
          Array("four".utf8).withUnsafeBytes { spool.key.append($0, to: &record) }
          try spool.append(record.bytes, count: 1)
        }
        var reader = SpoolReader(spool, at: position)
        var found: [String] = []
        while let batch = try reader.next(records: 1, bytes: 4096) {
          batch.visitPayloads { found.append(String(decoding: $0, as: UTF8.self)) }
        }
        #expect(found == ["two", "three", "four"])
        #expect(spool.losses.total == 0 && spool.counts.segments == 2 && spool.end.segment == 5)
      }
    }
  }

  @Test(arguments: [
    ("valid/key", true), ("invalid/damaged.key", true),
  ])
  func keysAreRead(_ name: String, _ isGood: Bool) throws {
    let bytes = try [UInt8](Data(contentsOf: sample(name)))
    #expect(SpoolHeader.read(bytes, .key) == (isGood ? .key(Self.key) : .unknown))
  }

  @Test(arguments: [
    ("valid/version-1.position", PositionFile.Reading.unchecked(position)),
    ("valid/version-2.position", .position(position)),
    ("invalid/one-line.position", .position(SpoolPosition(segment: 7, offset: 96))),
    ("invalid/damaged.position", .damaged),
  ])
  func positionFilesAreRead(_ name: String, _ reading: PositionFile.Reading) throws {
    try directory { directory in
      try FileManager.default.copyItem(
        at: sample(name), to: directory.appendingPathComponent("otlp.position"))
      let opened = try SpoolDirectory(directory.path)
      #expect(PositionFile.read("otlp", in: opened, Self.key) == reading)
      #expect(PositionFile.read("other", in: opened, Self.key) == .missing)
    }
  }

  @Test func spansThatWereSetAsideAreRead() throws {
    let file = try FileDescriptor.open(sample("valid/set-aside.spool").path, O_RDONLY)
    let reader = SegmentReader(
      file: OpenFile(file), segment: 0, framing: .version2(Self.key), path: "sample")
    guard
      case .records(let batch) = try reader.next(
        at: SpoolHeader.bytes, upTo: Self.setAside.count, records: 10, bytes: 4096)
    else {
      Issue.record("there are no records")
      return
    }
    var found: [String] = []
    batch.visitPayloads { payload in
      guard let record = SetAsideRecord(payload) else { return }
      let text = String(decoding: payload[record.span], as: UTF8.self)
      found.append("\(text) \(record.exporter) \(record.status) \(record.reason) \(record.time)")
    }
    #expect(
      found
        == Self.texts.enumerated().map {
          "\($1) otlp \(400 + $0) the answer of \($1) 1700000000000000000"
        })
  }

  @Test(arguments: [
    ("7 16\n", true), ("7 16", true), ("7\n", false), ("7 -1\n", false), ("18446744073709551615 16\n", false),
  ])
  func positionsAreRead(_ text: String, _ isGood: Bool) {
    #expect(SpoolPosition(text).map { "\($0)" } == (isGood ? "7 16" : nil))
  }
}
