import Testing

@testable import Delivery

@Suite struct ChunkTests {
  private func text(_ chunk: Chunk) -> String {
    chunk.withPayload { String(decoding: $0, as: UTF8.self) }
  }

  @Test func halvesShareTheBytesAndTheSecondHasThePosition() throws {
    let chunk = Chunk(id: "a", bytes: Array("onetwothree".utf8), ends: [3, 6, 11], position: "p")
    #expect(chunk.count == 3)
    #expect(chunk.size == 11)
    #expect(chunk.withEntry(1) { String(decoding: $0, as: UTF8.self) } == "two")
    var ids = ["b", "c"].makeIterator()
    let (first, second) = try #require(chunk.halved { ids.next() ?? "" })
    #expect(text(first) == "one")
    #expect(text(second) == "twothree")
    #expect([first.id, second.id] == ["b", "c"])
    #expect(first.position == nil)
    #expect(second.position == "p")
    #expect(second.withEntry(1) { String(decoding: $0, as: UTF8.self) } == "three")
  }

  @Test func singleEntryHasNoHalves() {
    #expect(Chunk(id: "a", bytes: [1], ends: [1], position: nil).halved { "b" } == nil)
  }
}
