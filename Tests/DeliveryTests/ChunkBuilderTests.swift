import Testing

@testable import Delivery

@Suite struct ChunkBuilderTests {
  private func append(_ builder: inout ChunkBuilder, _ text: String, at now: Int = 0) {
    Array(text.utf8).withUnsafeBytes { builder.append($0, at: now) }
  }

  private func limits(size: Int = 100, count: Int = 5) -> ChunkLimits {
    var limits = ChunkLimits()
    limits.size = size
    limits.count = count
    return limits
  }

  @Test func isFullByCountAndBySize() {
    var builder = ChunkBuilder(limits())
    for _ in 0..<4 { append(&builder, "x") }
    #expect(!builder.isFull)
    append(&builder, "x")
    #expect(builder.isFull)
    #expect(!builder.hasRoom(for: 1))
    var other = ChunkBuilder(limits())
    append(&other, String(repeating: "x", count: 60))
    #expect(other.hasRoom(for: 40))
    #expect(!other.hasRoom(for: 41))
  }

  @Test func entryAboveTheSizeIsAChunkByItself() {
    var builder = ChunkBuilder(limits())
    #expect(builder.hasRoom(for: 1000))
    append(&builder, String(repeating: "x", count: 1000))
    #expect(!builder.hasRoom(for: 1))
    #expect(builder.take { "a" }?.count == 1)
  }

  @Test func isDueASecondAfterTheFirstEntry() {
    var builder = ChunkBuilder(limits())
    #expect(builder.dueAt == nil)
    append(&builder, "x", at: 500)
    append(&builder, "x", at: 900)
    #expect(builder.dueAt == 1500)
    _ = builder.take { "a" }
    #expect(builder.dueAt == nil)
  }

  @Test func positionIsThatOfTheLastMark() {
    var builder = ChunkBuilder(limits())
    append(&builder, "x")
    builder.mark("p1", at: 0)
    append(&builder, "y")
    builder.mark("p2", at: 0)
    let chunk = builder.take { "a" }
    #expect(chunk?.position == "p2")
    #expect(chunk?.count == 2)
    builder.mark("p3", at: 7)
    #expect(builder.dueAt == 1007)
    let alone = builder.take { "b" }
    #expect(alone?.position == "p3")
    #expect(alone?.count == 0)
    #expect(builder.take { "c" } == nil)
  }

  @Test func positionMarkedBeforeAnEntryIsNotThatOfTheEntry() {
    var builder = ChunkBuilder(limits())
    append(&builder, "x")
    builder.mark("p1", at: 0)
    append(&builder, "y")
    // The chunk ends behind p1, which is safe: what is behind it comes again.
    #expect(builder.take { "a" }?.position == "p1")
  }
}
