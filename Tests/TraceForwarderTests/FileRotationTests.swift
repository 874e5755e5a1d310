import TestSupport
import Testing

@testable import TraceForwarder

struct FileRotationTests {
  private func rotation(_ size: Int) -> FileRotation {
    var rotation = FileRotation()
    rotation.maximumSize = size
    return rotation
  }

  @Test func piecesOfKnownLines() {
    let rotation = rotation(10)
    #expect(rotation.pieces([], after: 5).isEmpty)
    #expect(rotation.pieces([4, 8], after: 0) == [0..<8])
    #expect(rotation.pieces([4, 8, 12], after: 0) == [0..<8, 8..<12])
    #expect(rotation.pieces([4, 8, 12], after: 5) == [0..<4, 4..<12])
    #expect(rotation.pieces([4, 8], after: 9) == [0..<8])
    #expect(rotation.pieces([30, 34], after: 3) == [0..<30, 30..<34])
    #expect(self.rotation(0).pieces([30, 34], after: 3) == [0..<34])
  }

  /// Every line is written once and in order, and no file is larger than its limit but for one that is a single line.
  @Test(arguments: 0..<50)
  func piecesKeepTheLimit(_ seed: UInt64) {
    var random = SplitMix64(state: seed)
    let limit = Int(random.next() % 200) + 1
    let rotation = rotation(limit)
    var size = Int(random.next() % 300)
    var ends: [Int] = []
    for _ in 0..<40 { ends.append((ends.last ?? 0) + Int(random.next() % 90) + 1) }
    var position = 0
    for piece in rotation.pieces(ends, after: size) {
      #expect(piece.lowerBound == position && ends.contains(piece.upperBound), "seed \(seed)")
      if rotation.isDue(size: size, extra: piece.count, since: 0) { size = 0 }
      size += piece.count
      let lines = ends.count { piece.contains($0 - 1) }
      #expect(size <= limit || lines == 1, "seed \(seed): \(size) bytes of \(limit)")
      position = piece.upperBound
    }
    #expect(position == ends.last, "seed \(seed)")
  }
}
