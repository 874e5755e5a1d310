import Bytes
import TestSupport
import Testing

/// The search for any of four bytes, beside a loop over the bytes.
struct FourMarksTests {
  @Test(.seeded) func anyOfFourIsFoundWithinTheSliceAlone() {
    var random = Seed.generator()
    let marks = Array("\"(/x".utf8)
    for _ in 0..<4000 {
      let text = (0..<random.below(70)).map { _ in
        random.oneIn(40) ? random.pick(marks) : UInt8(random.below(256))
      }
      let start = random.below(text.count + 1)
      let end = start + random.below(text.count - start + 1)
      ByteSlice.withCopy(of: text) { whole in
        let found = whole.slice(start, end).contains(marks[0], marks[1], marks[2], marks[3])
        #expect(found == text[start..<end].contains { marks.contains($0) }, "\(text) \(start) \(end)")
      }
    }
  }
}
