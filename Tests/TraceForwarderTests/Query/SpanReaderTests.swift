import Bytes
import Testing
import Tracing

@testable import TraceForwarder

struct SpanReaderTests {
  /// Records of version 1 as they are in memory, and where each begins.
  private func records(_ spans: [Span]) -> (bytes: [UInt8], positions: [SpoolPosition]) {
    var records = ByteWriter()
    var payload = ByteWriter()
    var positions: [SpoolPosition] = []
    for span in spans {
      positions.append(SpoolPosition(segment: 0, offset: records.count))
      payload.removeAll()
      OTLPProtobuf.encode(span, to: &payload)
      SpoolFormat.append(payload.bytes, to: &records)
    }
    return (records.array, positions)
  }

  private func name(_ reader: SpanReader, _ position: SpoolPosition) -> String? {
    var name: String?
    reader.read(position) { span, _ in name = span.string(span.name) }
    return name
  }

  @Test func spansInMemoryAreReadInAnyOrder() {
    let (bytes, positions) = records((0..<20).map { .sample(1, 1 + $0, name: "span \($0)") })
    let reader = SpanReader(records: bytes)
    for index in [19, 0, 7, 7, 18, 1] { #expect(name(reader, positions[index]) == "span \(index)") }
  }

  @Test func positionsWithoutARecordGiveNothing() {
    let (bytes, positions) = records([.sample(1, 1), .sample(1, 2)])
    let reader = SpanReader(records: bytes)
    for offset in 0..<bytes.count + 20 where !positions.contains(where: { $0.offset == offset }) {
      #expect(name(reader, SpoolPosition(segment: 0, offset: offset)) == nil, "at \(offset)")
    }
    #expect(name(reader, SpoolPosition(segment: 1, offset: 0)) == nil)
  }

  @Test func recordCutAtAnyByteGivesNothing() {
    let (bytes, positions) = records([.sample(1, 1)])
    for count in 0..<bytes.count {
      #expect(name(SpanReader(records: Array(bytes[..<count])), positions[0]) == nil, "cut at \(count)")
    }
  }

  @Test func recordWithAnyByteChangedGivesNothing() {
    let (bytes, positions) = records([.sample(1, 1)])
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(name(SpanReader(records: damaged), positions[0]) == nil, "byte \(index)")
    }
  }

  @Test func lookingEndsAtTheLimitOfSpans() {
    let (bytes, positions) = records((0..<5).map { .sample(1, 1 + $0) })
    let reader = SpanReader(records: bytes, AnswerLimits(spans: 3))
    var seen = 0
    for position in positions { reader.look(position) { _, _ in seen += 1 } }
    #expect(seen == 3)
    #expect(reader.isExhausted)
    #expect(reader.spansLeft == 0)
    // What was found is still read to be answered.
    #expect(name(reader, positions[4]) == "op")
  }

  @Test func lookingEndsAtTheLimitOfBytes() {
    let (bytes, positions) = records((0..<5).map { .sample(1, 1 + $0) })
    let reader = SpanReader(records: bytes, AnswerLimits(recordBytes: 1))
    var seen = 0
    for position in positions { reader.look(position) { _, _ in seen += 1 } }
    #expect(seen == 1)
    #expect(reader.isExhausted)
  }

  /// Records around the border of the window that is read at once, and one that is larger than it.
  @Test func spansOfASegmentAreReadWhateverTheirSize() throws {
    let fixture = try QueryFixture()
    let sizes = [10, 31_000, 500, 33_000, 10, 200_000, 10]
    try fixture.add(
      sizes.enumerated().map {
        .sample(1, UInt64($0.offset + 1), name: String(repeating: "x", count: $0.element))
      })
    let entry = try #require(fixture.index.entry(TraceID(1)))
    #expect(entry.spans.count == sizes.count)
    for order in [Array(entry.spans.indices), entry.spans.indices.reversed()] {
      let reader = SpanReader(fixture.spool)
      for index in order {
        let place = entry.spans[index]
        let position = SpoolPosition(segment: UInt64(place.segment), offset: Int(place.offset))
        #expect(name(reader, position)?.utf8.count == sizes[index])
      }
    }
  }
}
