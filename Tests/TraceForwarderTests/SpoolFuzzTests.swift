import Bytes
import Foundation
import TestSupport
import Testing
import Tracing

@testable import TraceForwarder

/// Damaged spools and trace files: reading ends, and gives nothing that was not written.
@Suite(.ownThreads) struct SpoolFuzzTests {
  private static let payloads: [[UInt8]] = (0..<40).map { number in
    Array("payload \(number) ".utf8) + [UInt8](repeating: UInt8(number), count: number * number % 97)
  }

  private static let key = SpoolKey(marker: 0x1122_3344_5566_7788, seed: 0x99aa_bbcc)

  /// Half of them of version 1, half of version 2.
  private static let segments: [[UInt8]] = (0..<16).map { number in
    var out = ByteWriter()
    let isOld = number % 2 == 0
    out.put(isOld ? SpoolFormat.magic : SpoolHeader.encode(key, .segment))
    for payload in payloads.dropFirst(number * 2).prefix(1 + number * 3 / 2) {
      payload.withUnsafeBytes { isOld ? SpoolFormat.append($0, to: &out) : key.append($0, to: &out) }
    }
    return out.array
  }

  private static let mutator = Mutator(
    seeds: segments,
    tokens: [
      [0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 4], [1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0],
      Array("KATASPL1".utf8), Array("KATASPL2".utf8),
      withUnsafeBytes(of: key.marker.littleEndian) { Array($0) },
    ])

  /// Of any bytes, at any offset: each step goes on or stops, and what is good was written.
  @Test func spoolRecordsFuzz() {
    let known = Set(Self.payloads)
    var good = 0
    Fuzzing.run("spool records") { generator in
      let bytes = Self.mutator.next(&generator)
      bytes.withUnsafeBytes { bytes in
        let framing: SegmentFraming = generator.oneIn(2) ? .version1 : .version2(Self.key)
        var offset = min(bytes.count, generator.oneIn(4) ? generator.below(120) : framing.headerBytes)
        walk: while true {
          switch framing.record(at: offset, in: bytes) {
          case .good(let payload, let end):
            good += 1
            // A few bytes and their checksum come about by chance.
            #expect(known.contains(Array(payload)) || payload.count < 4)
            #expect(end > offset && end <= bytes.count)
            offset = end
          case .damaged(let end):
            #expect(end > offset && end <= bytes.count)
            offset = end
          case .incomplete(let needed):
            #expect(needed > bytes.count - offset)
            break walk
          case .senseless: break walk
          }
        }
      }
    }
    #expect(good > 0)
  }

  /// Makes a spool's directory of whole and damaged files anew; whether a later version than is known wrote one of them.
  private static func fill(_ directory: URL, _ generator: inout SplitMix64) throws -> Bool {
    try? FileManager.default.removeItem(at: directory)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    if !generator.oneIn(3) {
      try Data(SpoolHeader.encode(Self.key, .key)).write(to: directory.appendingPathComponent("key"))
    }
    let count = 1 + generator.below(3)
    for number in 1...count {
      let bytes = generator.oneIn(3) ? generator.pick(Self.segments) : Self.mutator.next(&generator)
      try Data(bytes).write(
        to: directory.appendingPathComponent(SpoolFormat.fileName(UInt64(number * 2))))
    }
    if generator.oneIn(3) {
      let text = generator.pick([
        "2 16\n", "4 99999999\n", "18446744073709551615 16\n", "x", "", "3 -1", "2 17\n",
      ])
      try Data(text.utf8).write(to: directory.appendingPathComponent("test.position"))
    }
    // A header that was cut off after a changed version says so literally, and is refused.
    return (1...count).contains { number in
      let file = directory.appendingPathComponent(SpoolFormat.fileName(UInt64(number * 2)))
      guard
        case .newer? = (try? Data(contentsOf: file)).map({
          SpoolHeader.read(Array($0.prefix(96)), .segment)
        })
      else { return false }
      return true
    }
  }

  /// A spool over damaged segments opens, gives whole records of those that were written, and takes new ones.
  @Test func damagedSpoolsFuzz() throws {
    let known = Set(Self.payloads)
    // In memory, because each spool syncs several times.
    let folder = try TemporaryFolder(inMemory: true)
    var recovered = 0
    try Fuzzing.run("damaged spools") { generator in
      let directory = folder.url.appendingPathComponent("spool")
      let isNewer = try Self.fill(directory, &generator)
      guard !isNewer else {
        #expect(throws: SpoolFailure.self) { try Spool(SpoolOptions(directory: directory.path)) }
        return
      }
      let spool = try Spool(SpoolOptions(directory: directory.path))
      let position = spool.register("test")
      let first = Self.payloads[0]
      var record = ByteWriter()
      first.withUnsafeBytes { spool.key.append($0, to: &record) }
      try spool.append(record.bytes, count: 1)
      var last: [UInt8] = []
      for start in [spool.start, position] {
        var reader = SpoolReader(spool, at: start)
        var batches = 0
        while let batch = try reader.next(records: 5, bytes: 300) {
          batches += 1
          batch.visitPayloads {
            last = Array($0)
            recovered += 1
            #expect(known.contains(last) || last.count < 4)
          }
          guard batches < 10_000 else {
            Issue.record("reading does not end")
            break
          }
        }
        // What was written after all damage is read, whatever is before it.
        if start == spool.start { #expect(last == first) }
      }
    }
    #expect(recovered > 0)
  }

  /// Headers, keys, positions and spans that were set aside, of any bytes: nothing that was not written is read.
  @Test func smallSpoolFilesFuzz() {
    let position = SpoolPosition(segment: 42, offset: 4711)
    var message = ByteWriter()
    Self.payloads[9].withUnsafeBytes {
      SetAsideRecord(time: 7, exporter: "otlp", status: 400, reason: "no reason").encode($0, to: &message)
    }
    let line = Array(PositionFile.slot(position, Self.key).prefix(100))
    let mutator = Mutator(
      seeds: [
        SpoolHeader.encode(Self.key, .segment), SpoolHeader.encode(Self.key, .key), line, message.array,
        SpoolFormat.magic,
      ],
      tokens: [
        Array("KATASPL".utf8), Array("KATAKEY".utf8), Array("kata-spool-position ".utf8), [0xff, 0xff, 0xff],
      ])
    var good = 0
    Fuzzing.run("small spool files") { generator in
      let bytes = mutator.next(&generator)
      for kind in [SpoolHeader.Kind.segment, .key] {
        if case .key(let key) = SpoolHeader.read(bytes, kind) {
          #expect(key == Self.key)
          good += 1
        }
      }
      switch PositionFile.read([bytes, mutator.next(&generator)], Self.key) {
      case .position(let found): #expect(found == position)
      case .unchecked: Issue.record("two lines are not of version 1")
      case .missing, .damaged, .unreadable: break
      }
      bytes.withUnsafeBytes { bytes in
        guard let record = SetAsideRecord(bytes) else { return }
        #expect(record.span.upperBound <= bytes.count && !record.span.isEmpty)
      }
    }
    #expect(good > 0)
  }

  @Test func traceFilesFuzz() throws {
    let service = Array("service.name".utf8)
    var files: [[UInt8]] = []
    for count in 1...4 {
      var document = TraceDocument(TraceID(7))
      var scratch = ByteWriter()
      for number in 1...count {
        var span = Span()
        span.traceID = TraceID(7)
        span.spanID = SpanID(UInt64(number))
        span.parentID = SpanID(UInt64(number - 1))
        span.name = span.intern("step \(number) \"quoted\"\n")
        span.setResource(String(decoding: service, as: UTF8.self), "service \(number % 2)")
        #expect(document.add(span, defaultService: "unknown", &scratch))
      }
      var out = ByteWriter()
      out.put(TraceDocument.envelopeStart)
      document.put(to: &out)
      out.put(TraceDocument.envelopeEnd)
      files.append(out.array)
      // What was written is read as the same.
      let again = try #require(TraceDocument(TraceID(7), file: out.array))
      #expect(again.count == count && again.hasRoot)
      #expect(text(again) == out.array)
      #expect(TraceDocument(TraceID(8), file: out.array) == nil)
    }
    let tokens = ["\n", ",\n", "],\"processes\":{\n", "{\"traceID\":\"", "\"p1\":{", "}", "]"].map {
      Array($0.utf8)
    }
    let mutator = Mutator(seeds: files, tokens: tokens)
    var read = 0
    Fuzzing.run("trace files") { generator in
      let bytes = mutator.next(&generator)
      guard let document = TraceDocument(TraceID(7), file: bytes) else { return }
      read += 1
      let written = text(document)
      #expect(written.count <= bytes.count + 256)
      if let again = TraceDocument(TraceID(7), file: written) {
        #expect(text(again) == written)
      } else {
        Issue.record("what was read of a file and written is none: \(bytes)")
      }
    }
    #expect(read > 0)
  }

  private func text(_ document: TraceDocument) -> [UInt8] {
    var out = ByteWriter()
    out.put(TraceDocument.envelopeStart)
    document.put(to: &out)
    out.put(TraceDocument.envelopeEnd)
    return out.array
  }
}
