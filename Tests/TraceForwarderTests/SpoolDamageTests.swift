import Bytes
import Foundation
import System
import TestSupport
import Testing
import Tracing

@testable import TraceForwarder

/// Every single damage of a spool's files: at most the records that it touches are lost, exactly these are counted, and
/// nothing of a guest's making is believed.
@Suite(.ownThreads) struct SpoolDamageTests {
  private static let key = SpoolKey(marker: 0x9c1d_73e8_42a5_bf06, seed: 0x5ac3_1e97)

  /// A span whose attribute has what a guest would like to be taken for the spool's own.
  private static func payload(_ number: UInt64, _ hostile: [UInt8] = []) -> [UInt8] {
    var span = Span()
    span.traceID = TraceID(UInt128(number) << 64 | 7)
    span.spanID = SpanID(number)
    span.name = span.intern("span \(number)")
    span.setResource("service.name", "guest")
    var bytes = ByteWriter()
    OTLPProtobuf.encode(span, to: &bytes)
    guard !hostile.isEmpty else { return bytes.array }
    return insert(hostile, in: bytes.array)
  }

  /// Puts bytes into the message as the value of an attribute of the span, with the lengths around it made right.
  private static func insert(_ hostile: [UInt8], in payload: [UInt8]) -> [UInt8] {
    // Field 2 of ResourceSpans is the last: scope spans, of which a field that no reader knows is as good as an
    // attribute.
    var inner = ByteWriter()
    inner.put(15 << 3 | 2)
    inner.varint(UInt64(hostile.count))
    inner.put(hostile)
    var result = ByteWriter()
    var offset = 0
    while offset < payload.count {
      let tag = payload[offset]
      var length = 0
      var used = 1
      repeat {
        length |= Int(payload[offset + used] & 0x7f) << (7 * (used - 1))
        used += 1
      } while payload[offset + used - 1] >= 0x80
      let body = Array(payload[offset + used..<offset + used + length])
      result.put(tag)
      if tag == 2 << 3 | 2 {
        result.varint(UInt64(length + inner.count))
        result.put(body)
        result.put(inner.bytes)
      } else {
        result.varint(UInt64(length))
        result.put(body)
      }
      offset += used + length
    }
    return result.array
  }

  /// Images of records: of version 1, whose checksum a guest can compute, and of version 2 with guessed secrets.
  private static func images() -> [UInt8] {
    var out = ByteWriter()
    let planted = Array("planted!".utf8)
    var guesses = [SpoolKey(marker: 0, seed: 0), SpoolKey(marker: .max, seed: .max)]
    var generator = SplitMix64(state: 2)
    for _ in 0..<3 { guesses.append(SpoolKey(marker: generator.next(), seed: key.seed)) }
    for _ in 0..<6 { planted.withUnsafeBytes { SpoolFormat.append($0, to: &out) } }
    for guess in guesses { planted.withUnsafeBytes { guess.append($0, to: &out) } }
    out.put(SpoolHeader.encode(SpoolKey(marker: 0, seed: 0), .segment))
    planted.withUnsafeBytes { SpoolFormat.append($0, to: &out) }
    return out.array
  }

  /// Of version 1 the first bytes of a payload come where later versions have copies of their header.
  private static let payloads: [[UInt8]] = (1...24 as ClosedRange<UInt64>).map { number in
    switch number % 3 {
    case 1: payload(number, images())
    case 2: payload(number, [UInt8](repeating: 0, count: 40))
    default: payload(number)
    }
  }

  private static func segment(_ framing: SegmentFraming, _ payloads: [[UInt8]]) -> (
    bytes: [UInt8], records: [Range<Int>]
  ) {
    var out = ByteWriter()
    var records: [Range<Int>] = []
    switch framing {
    case .version1: out.put(SpoolFormat.magic)
    case .version2(let key): out.put(SpoolHeader.encode(key, .segment))
    }
    for payload in payloads {
      let start = out.count
      payload.withUnsafeBytes { bytes in
        if case .version2(let key) = framing {
          key.append(bytes, to: &out)
        } else {
          SpoolFormat.append(bytes, to: &out)
        }
      }
      records.append(start..<out.count)
    }
    return (out.array, records)
  }

  /// A directory with one segment, in memory where that is possible, and what reading it gives.
  private final class Fixture {
    let url: URL
    let directory: SpoolDirectory
    private let folder: TemporaryFolder
    private let name = SpoolFormat.fileName(1)
    private let known: [[UInt8]: Int]

    init(_ payloads: [[UInt8]], hasKeyFile: Bool) throws {
      folder = try TemporaryFolder(inMemory: true)
      url = folder.url.appendingPathComponent("spool")
      directory = try SpoolDirectory(url.path)
      known = Dictionary(uniqueKeysWithValues: payloads.enumerated().map { ($1, $0) })
      if hasKeyFile {
        try Data(SpoolHeader.encode(SpoolDamageTests.key, .key)).write(to: url.appendingPathComponent("key"))
      }
    }

    struct Result {
      var found: [Int] = []
      var lost = 0
      var strange: [[UInt8]] = []
    }

    /// Writes the bytes, and reads them as the forwarder does at its start and in delivering.
    func read(_ bytes: [UInt8]) throws -> Result {
      let file = try directory.open(name, O_WRONLY | O_CREAT | O_TRUNC)
      try bytes.withUnsafeBytes { try file.writeAll($0, subject: name) }
      let recovered = try SpoolRecovery.segments(in: directory)
      var result = Result()
      result.lost += recovered.unknown.count
      guard let segment = recovered.segments.first else { return result }
      let open = try directory.open(name, O_RDONLY)
      let reader = SegmentReader(
        file: OpenFile(open), segment: 1, framing: segment.framing, path: name)
      var offset = segment.framing.headerBytes
      var steps = 0
      reading: while true {
        steps += 1
        if steps > 10_000 {
          Issue.record("reading does not end")
          break
        }
        switch try reader.next(at: offset, upTo: segment.size, records: 5, bytes: 700) {
        case .end: break reading
        case .gap(let gap):
          result.lost += gap.records
          offset = gap.range.upperBound
        case .records(let batch):
          batch.visitPayloads { payload in
            if let number = known[Array(payload)] {
              result.found.append(number)
            } else {
              result.strange.append(Array(payload))
            }
          }
          offset = batch.end.offset
        }
      }
      #expect(segment.records == result.found.count + result.strange.count)
      return result
    }
  }

  @Test(arguments: [2, 1], [true, false])
  func anyFlippedBitCostsAtMostTheRecordThatItIsIn(_ version: Int, _ hasKeyFile: Bool) throws {
    let framing: SegmentFraming = version == 1 ? .version1 : .version2(Self.key)
    let payloads = Array(Self.payloads.prefix(version == 1 ? 20 : 18))
    let (bytes, records) = Self.segment(framing, payloads)
    #expect(bytes.count > 3500 && bytes.count < 6000, "\(bytes.count)")
    let fixture = try Fixture(payloads, hasKeyFile: hasKeyFile)
    #expect(try fixture.read(bytes).found == Array(payloads.indices))
    var wrong = 0
    // The whole segment with the key's file, its header alone without.
    let last = hasKeyFile ? bytes.count : framing.headerBytes
    // Of version 1, which is written no more, the payloads' bits in part.
    let heads = Set(
      records.flatMap { $0.prefix(framing.recordHeaderBytes + 8) } + Array(0..<framing.headerBytes))
    for bit in 0..<last * 8 where wrong < 10 {
      if version == 1, bit % 7 > 0, !heads.contains(bit / 8) { continue }
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      let result = try fixture.read(flipped)
      let touched = records.firstIndex { $0.contains(bit / 8) }
      let missing = Set(payloads.indices).subtracting(result.found)
      if !result.strange.isEmpty || !missing.isSubset(of: touched.map { [$0] } ?? [])
        || result.lost != missing.count
      {
        wrong += 1
        Issue.record(
          "bit \(bit), in record \(touched ?? -1): missing \(missing), counted \(result.lost), \(result.strange.count) planted"
        )
      }
    }
  }

  @Test(arguments: [512, 4096], [0x00, 0xff] as [UInt8])
  func anOverwrittenPageCostsAtMostTheRecordsInIt(_ size: Int, _ value: UInt8) throws {
    let payloads = Self.payloads + (100..<160 as Range<UInt64>).map { Self.payload($0, Self.images()) }
    let (bytes, records) = Self.segment(.version2(Self.key), payloads)
    #expect(bytes.count > 3 * 4096)
    let fixture = try Fixture(payloads, hasKeyFile: true)
    for start in stride(from: 0, to: bytes.count, by: size) {
      var damaged = bytes
      let page = start..<min(bytes.count, start + size)
      for index in page { damaged[index] = value }
      let result = try fixture.read(damaged)
      let touched = records.indices.filter { records[$0].overlaps(page) }
      let missing = Set(payloads.indices).subtracting(result.found)
      #expect(result.strange.isEmpty)
      #expect(missing.isSubset(of: touched), "page at \(start)")
      // Of records that are overwritten whole nothing tells how many they were.
      #expect(missing.isEmpty || result.lost >= 1 && result.lost <= missing.count, "page at \(start)")
    }
  }

  @Test func anOverwrittenPageOfVersion1GivesNothingPlanted() throws {
    let payloads = Self.payloads
    let (bytes, records) = Self.segment(.version1, payloads)
    let fixture = try Fixture(payloads, hasKeyFile: true)
    for start in stride(from: 0, to: bytes.count, by: 128) {
      var damaged = bytes
      let page = start..<min(bytes.count, start + 128)
      for index in page { damaged[index] = 0 }
      let result = try fixture.read(damaged)
      #expect(result.strange.isEmpty)
      let first = records.firstIndex { $0.overlaps(page) } ?? 0
      #expect(result.found.starts(with: 0..<first) || start == 0)
      #expect(result.lost > 0 || result.found.count == payloads.count, "page at \(start)")
      try? FileManager.default.removeItem(at: fixture.url.appendingPathComponent(SpoolFormat.fileName(1)))
    }
  }

  @Test(arguments: [1, 2]) func truncatedSegmentYieldsCompleteRecords(_ version: Int) throws {
    let framing: SegmentFraming = version == 1 ? .version1 : .version2(Self.key)
    let payloads = Array(Self.payloads.prefix(12))
    let (bytes, records) = Self.segment(framing, payloads)
    let fixture = try Fixture(payloads, hasKeyFile: true)
    for size in 0..<bytes.count {
      let result = try fixture.read(Array(bytes[..<size]))
      #expect(result.strange.isEmpty)
      #expect(result.found == records.indices.filter { records[$0].upperBound <= size }, "\(size) bytes")
      // A guest that has images of records in the span that is torn has version 1 seem to have lost some.
      #expect(result.lost == 0 || version == 1, "\(size) bytes")
    }
  }

  /// A payload of many megabytes full of headers that promise large records, with a damaged length before it.
  @Test func aSearchThroughAHostilePayloadTakesLinearTime() throws {
    var hostile = ByteWriter()
    for _ in 0..<40_000 {
      hostile.little(UInt32(1 << 20))
      hostile.little(UInt32(0))
      hostile.little(Self.key.marker &* 3)
    }
    let payloads = [Self.payload(1), Self.payload(2, hostile.array), Self.payload(3)]
    for framing in [SegmentFraming.version2(Self.key), .version1] {
      let (bytes, records) = Self.segment(framing, payloads)
      let fixture = try Fixture(payloads, hasKeyFile: true)
      for flip in [0, 1, 2, 3] {
        var damaged = bytes
        damaged[records[1].lowerBound + framing.recordHeaderBytes - 8 + flip] ^= 0x10
        let result = try fixture.read(damaged)
        #expect(result.found == [0, 2] && result.lost == 1 && result.strange.isEmpty)
      }
    }
  }

  // MARK: Secrets

  @Test func anyFlippedBitOfTheKeyFileCostsNothing() throws {
    let bytes = SpoolHeader.encode(Self.key, .key)
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(SpoolHeader.read(flipped, .key) == .key(Self.key))
    }
    // One in each copy.
    var generator = SplitMix64(state: 1)
    for _ in 0..<2000 {
      var flipped = bytes
      for copy in 0..<3 { flipped[copy * 32 + generator.below(32)] ^= 1 << UInt8(generator.below(8)) }
      let reading = SpoolHeader.read(flipped, .key)
      #expect(reading == .key(Self.key) || reading == .unknown)
    }
  }

  @Test func lostKeyFileOrHeaderIsReplacedByTheOther() throws {
    let payloads = Array(Self.payloads.prefix(9))
    let (bytes, _) = Self.segment(.version2(Self.key), payloads)
    #expect(try Fixture(payloads, hasKeyFile: false).read(bytes).found == Array(0..<9))
    let zeroed = [UInt8](repeating: 0, count: 96) + bytes[96...]
    let result = try Fixture(payloads, hasKeyFile: true).read(zeroed)
    #expect(result.found == Array(0..<9) && result.lost == 0)
  }

  /// A guest cannot have its own secret believed: not by a copy of a header where version 1 has its first payload.
  @Test func plantedHeaderIsIgnored() throws {
    let guest = SpoolKey(marker: 0x0101_0202_0303_0404, seed: 7)
    var hostile = ByteWriter()
    let planted = Array("planted!".utf8)
    hostile.put(SpoolHeader.encode(guest, .segment))
    planted.withUnsafeBytes { guest.append($0, to: &hostile) }
    for shift in 0..<40 {
      // Whatever the place of the guest's bytes, some shift has them where the copies are.
      let first = [UInt8](repeating: 0x0a, count: shift) + hostile.array
      let (bytes, _) = Self.segment(.version1, [first, Self.payload(2)])
      for damage in [0..<16, 0..<8, 7..<8, 0..<24] {
        var damaged = bytes
        for index in damage { damaged[index] = 0 }
        let result = try Fixture([first, Self.payload(2)], hasKeyFile: false).read(damaged)
        #expect(result.strange.isEmpty, "shift \(shift), zeroed \(damage)")
      }
    }
  }

  @Test func oneFlippedBitMakesNoLaterVersion() {
    for header in [SpoolHeader.encode(Self.key, .segment), SpoolFormat.magic + Self.payloads[0]] {
      for bit in 0..<96 * 8 where bit / 8 < header.count {
        var flipped = header
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        if case .newer = SpoolHeader.read(flipped, .segment) { Issue.record("bit \(bit)") }
      }
    }
    var copy = Array(SpoolHeader.encode(Self.key, .segment).prefix(28))
    copy[7] = UInt8(ascii: "3")
    let checksum = copy.withUnsafeBytes { CRC32C.checksum($0) }
    copy += withUnsafeBytes(of: checksum.littleEndian) { Array($0) }
    var later = copy + copy + copy
    #expect(SpoolHeader.read(later, .segment) == .newer("3"))
    later[0] ^= 1
    #expect(SpoolHeader.read(later, .segment) == .newer("3"))
  }

  // MARK: Positions

  @Test func anyFlippedBitOfAPositionFileCostsNothing() {
    let before = SpoolPosition(segment: 41, offset: 8_388_000)
    let now = SpoolPosition(segment: 42, offset: 4711)
    let lines = [PositionFile.slot(now, Self.key), PositionFile.slot(before, Self.key)].map {
      Array($0.prefix(128))
    }
    #expect(PositionFile.read(lines, Self.key) == .position(now))
    for slot in 0..<2 {
      for bit in 0..<128 * 8 {
        var flipped = lines
        flipped[slot][bit / 8] ^= 1 << UInt8(bit % 8)
        let reading = PositionFile.read(flipped, Self.key)
        // The one before is as good: spans are delivered again, none is skipped.
        #expect(reading == .position(now) || (slot == 0 && reading == .position(before)), "bit \(bit)")
      }
    }
    // However much of the file is there, it is one of the two or none.
    let bytes = PositionFile.slot(now, Self.key) + PositionFile.slot(before, Self.key)
    for size in Array(0..<140) + Array(4090..<4240) {
      var cut = [Array(bytes.prefix(min(size, 128)))]
      if size > 4096 { cut.append(Array(bytes[4096..<min(size, 4096 + 128)])) }
      let line = "kata-spool-position 2 42 4711 12345678".utf8.count
      #expect(PositionFile.read(cut, Self.key) == (size >= line ? .position(now) : .damaged), "\(size)")
    }
    #expect(PositionFile.read([[0x78], [0x79]], Self.key) == .damaged)
    #expect(PositionFile.read(lines, SpoolKey(marker: 1, seed: 2)) == .damaged)
    #expect(PositionFile.slot(now, Self.key).count == 4096)
  }
}
