import Bytes
import Testing

struct PageBlockTests {
  /// A block that holds a text.
  private func withBlock<Result>(_ text: String, _ body: (borrowing PageBlock) -> Result) -> Result {
    var block = PageBlock(capacity: 0)
    block.fill(text.utf8.count) { room in
      room.copyBytes(from: text.utf8)
      return text.utf8.count
    }
    return body(block)
  }

  @Test func partsAreClampedToWhatWasRead() {
    withBlock("abcdef") { block in
      let slices = [2, 6, 7, -1].map { block.slice(from: $0).string }
      #expect(slices == ["cdef", "", "", "abcdef"])
      let counts = [(1, 5), (6, 0), (1, 6), (7, 0), (-1, 2), (0, -1), (2, .max)].map {
        block.buffer(from: $0.0, count: $0.1)?.count
      }
      #expect(counts == [5, 0, nil, nil, nil, nil, nil])
    }
  }

  @Test func growsAndShrinks() {
    var block = PageBlock(capacity: 10)
    for count in [5, 100_000, 3] {
      block.fill(count) { room in
        #expect(room.count == count)
        return min(2, count)
      }
      let held = block.count
      #expect(held == 2)
    }
  }

  @Test(arguments: [
    ("time=\"a\ntime=\"b time=\n", true, ["time=\"a", "time=\"b time="], [false, true]),
    ("time=\"a\ntime=\"b", false, ["time=\"a"], [false]),
    ("time=\"a\n\ntime=\"b", true, ["time=\"a", "", "time=\"b"], [false, false, false]),
    ("", true, [], []),
  ])
  func linesComeOneByOne(_ text: String, isLast: Bool, lines: [String], again: [Bool]) {
    withBlock(text) { block in
      var found: [String] = []
      var saysAgain: [Bool] = []
      var walk = BlockLines(block, isLast: isLast)
      while let (line, saysTimeAgain) = walk.next() {
        found.append(line.string)
        saysAgain.append(saysTimeAgain)
      }
      #expect(found == lines && saysAgain == again)
      #expect(walk.offset <= text.utf8.count)
    }
  }

  @Test func stampsCompareAsText() {
    let texts = [
      "2026-03-05T05:01:54.000000001Z", "2026-03-05T05:01:54.000000002Z", "2027-01-01T00:00:00.000000000Z",
    ]
    var arena = Arena()
    let stamps = texts.compactMap { FixedStamp(arena.copy("time=\"\($0)\" level=info")) }
    #expect(stamps.count == 3)
    for (a, first) in stamps.enumerated() {
      for (b, second) in stamps.enumerated() { #expect(first.precedes(second) == (a < b)) }
    }
    #expect(stamps.map { $0.time?.rfc3339 } == texts.map { $0.replacing(".000000000", with: "") })
    for other in ["time=\"2026-03-05T05:01:54.1Z\" level=info xxxxxxxxxxx", "level=info", ""] {
      #expect(FixedStamp(arena.copy(other)) == nil)
    }
  }

  @Test func numbersAreReadWithinTheirBounds() {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    #expect(bytes.little(UInt16.self, at: 1) == 0x0302)
    #expect(bytes.little(UInt64.self, at: 1) == 0x0908_0706_0504_0302)
    for offset in [-1, 2, 9, 10, .max] { #expect(bytes.little(UInt64.self, at: offset) == nil) }
    var out = OutputBuffer()
    var arena = Arena()
    var cursor = out.cursor(reserving: 32)
    cursor.put(little: 7 as UInt32)
    cursor.put(text: arena.copy("text" as StaticString))
    out.commit(cursor)
    let total = out.count
    for count in 0...total {
      var reader = SliceReader(arena.copy(UnsafeRawBufferPointer(rebasing: out.bytes[..<count])))
      let number = reader.little(UInt32.self)
      let text = reader.text().string
      #expect(number == (count >= 4 ? 7 : 0))
      #expect(text == (count == total ? "text" : ""), "\(count) bytes")
      #expect(reader.isShort == (count < total) && reader.remaining == 0, "\(count) bytes")
    }
  }

  @Test func slicesCompareWithTexts() {
    var arena = Arena()
    let slice = arena.copy("abc" as StaticString)
    #expect(
      slice.equals(text: "abc") && !slice.equals(text: "ab") && !slice.equals(text: "abd")
        && !slice.equals(text: "abcd"))
    #expect(ByteSlice.empty.equals(text: "") && !ByteSlice.empty.equals(text: "a"))
    let given = ["", "a", "abc", "abcd", "b"]
    #expect(given.map { slice.hasPrefix(text: $0) } == [true, true, true, false, false])
  }
}
