import Testing

@testable import Bytes

struct InsertLengthTests {
  /// The length goes before the bytes even where the block is nearly full: growing it then lost them.
  @Test func lengthBeforeFewBytesAtTheEndOfTheBlockKeepsThem() {
    for filled in 40..<64 {
      var writer = ByteWriter(capacity: 64)
      for _ in 0..<filled { writer.put(1) }
      writer.put(2)
      writer.put(3)
      writer.insertLength(at: filled)
      let tail = Array(writer.array.suffix(3))
      #expect(tail == [2, 2, 3], "\(filled) bytes before")
    }
  }
}
