import Bytes
import Foundation
import TestSupport
import Testing

@testable import TraceForwarder

/// How far an exporter is: kept across restarts, never beyond what it delivered.
@Suite(.ownThreads) struct SpoolPositionTests {
  private func folder(_ body: (URL) throws -> Void) throws {
    try TemporaryFolder.use { try body($0.appendingPathComponent("spool")) }
  }

  private func append(_ texts: [String], to spool: Spool) throws {
    var out = ByteWriter()
    for text in texts { Array(text.utf8).withUnsafeBytes { spool.key.append($0, to: &out) } }
    try spool.append(out.bytes, count: texts.count)
  }

  private func open(_ url: URL) throws -> Spool { try Spool(SpoolOptions(directory: url.path)) }

  private func texts(_ spool: Spool, from position: SpoolPosition) throws -> [String] {
    var reader = SpoolReader(spool, at: position)
    var found: [String] = []
    while let batch = try reader.next(records: 100, bytes: 1 << 20) {
      batch.visitPayloads { found.append(String(decoding: $0, as: UTF8.self)) }
    }
    return found
  }

  /// Three records of 19, 19 and 21 bytes after a header of 96; the position is after the first one.
  private func fill(_ url: URL) throws {
    let spool = try open(url)
    _ = spool.register("otlp")
    try append(["one", "two", "three"], to: spool)
    try spool.writePosition(SpoolPosition(segment: 1, offset: 115), by: "otlp")
  }

  @Test func aPositionIsReadAfterARestart() throws {
    try folder { url in
      try fill(url)
      for _ in 0..<3 {
        let spool = try open(url)
        #expect(try texts(spool, from: spool.register("otlp")) == ["two", "three"])
        #expect(try texts(spool, from: spool.register("other")) == ["one", "two", "three"])
      }
    }
  }

  @Test func theSlotsAreWrittenInTurnInPlace() throws {
    try folder { url in
      try fill(url)
      let file = url.appendingPathComponent("otlp.position").path
      var before = stat()
      #expect(stat(file, &before) == 0 && before.st_size == 8192)
      do {
        let spool = try open(url)
        _ = spool.register("otlp")
        var first = stat()
        #expect(stat(file, &first) == 0)
        for offset in [134, 155, 155] {
          try spool.writePosition(SpoolPosition(segment: 1, offset: offset), by: "otlp")
        }
        var second = stat()
        #expect(stat(file, &second) == 0 && second.st_ino == first.st_ino && second.st_size == 8192)
      }
      // Either line alone is enough.
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      for damaged in [0, 4096] {
        var copy = bytes
        for index in damaged..<damaged + 4096 { copy[index] = 0 }
        try copy.write(to: URL(fileURLWithPath: file))
        #expect(try open(url).register("otlp").offset == 155)
      }
    }
  }

  @Test(arguments: [
    // Of version 1: right, within a record, within the header, beyond the segment, beyond the spool.
    ("1 115\n", ["two", "three"]), ("1 116\n", ["one", "two", "three"]), ("1 20\n", ["one", "two", "three"]),
    ("1 9999\n", ["one", "two", "three"]), ("9 16\n", ["one", "two", "three"]),
    ("1 155\n", []), ("", ["one", "two", "three"]), ("garbage", ["one", "two", "three"]),
  ])
  func aPositionWithoutAChecksumIsFollowedWhereItCanBeRight(_ text: String, _ expected: [String]) throws {
    try folder { url in
      try fill(url)
      let file = url.appendingPathComponent("otlp.position")
      try Data(text.utf8).write(to: file)
      let spool = try open(url)
      #expect(try texts(spool, from: spool.register("otlp")) == expected)
      // It is of this version from now on.
      #expect(try Data(contentsOf: file).count == 8192)
      try append(["four"], to: spool)
      #expect(try texts(spool, from: spool.register("otlp")).last == "four")
    }
  }

  /// The machine stopped before the last records were on disk, which had been delivered.
  @Test func aPositionBeyondALostTailGoesOnWithNewSpans() throws {
    try folder { url in
      try fill(url)
      do {
        let spool = try open(url)
        _ = spool.register("otlp")
        try spool.writePosition(SpoolPosition(segment: 1, offset: 155), by: "otlp")
      }
      let segment = url.appendingPathComponent(SpoolFormat.fileName(1))
      try Data(contentsOf: segment).prefix(134).write(to: segment)
      let spool = try open(url)
      let position = spool.register("otlp")
      #expect(try texts(spool, from: position) == [])
      try append(["four"], to: spool)
      #expect(try texts(spool, from: position) == ["four"])
    }
  }

  @Test func aSegmentsNumberIsNotUsedAgain() throws {
    try folder { url in
      try fill(url)
      try FileManager.default.removeItem(at: url.appendingPathComponent(SpoolFormat.fileName(1)))
      let spool = try open(url)
      let position = spool.register("otlp")
      try append(["four"], to: spool)
      #expect(try texts(spool, from: position) == ["four"])
      #expect(spool.start.segment == 2)
    }
  }

  // MARK: Losses

  @Test func damageIsCountedOnceForAllExporters() throws {
    try folder { url in
      try fill(url)
      let segment = url.appendingPathComponent(SpoolFormat.fileName(1))
      var bytes = try Data(contentsOf: segment)
      bytes[140] ^= 1
      try bytes.write(to: segment)
      let spool = try open(url)
      for name in ["otlp", "other", "third"] {
        let position = spool.register(name)
        #expect(try texts(spool, from: position) == (name == "otlp" ? ["two"] : ["one", "two"]))
        #expect(spool.losses.count(.spoolDamaged) == 1 && spool.counts.damaged == 1)
      }
      // The damaged file stays for a person when the spool is done with it.
      try append(["four"], to: spool)
      let end = spool.end
      for name in ["otlp", "other", "third"] { spool.acknowledge(end, by: name) }
      #expect(spool.counts.segments == 1)
      #expect(!FileManager.default.fileExists(atPath: segment.path) || spool.start.segment == 1)
    }
  }

  @Test func aDeletedSegmentIsALossOfWhatWasNotDelivered() throws {
    try folder { url in
      try fill(url)
      let spool = try open(url)
      let position = spool.register("otlp")
      try append(["four"], to: spool)
      try FileManager.default.removeItem(at: url.appendingPathComponent(SpoolFormat.fileName(1)))
      #expect(try texts(spool, from: position) == ["four"])
      // How many of a segment's records were delivered is only known about, once it is gone.
      #expect((1...3).contains(spool.losses.count(.spoolDamaged)))
    }
  }
}
