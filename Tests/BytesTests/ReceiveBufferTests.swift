import Bytes
import TestSupport
import Testing

struct ReceiveBufferTests {
  private func text(_ buffer: borrowing ReceiveBuffer, _ start: Int, _ count: Int) -> [UInt8] {
    buffer.withBytes(from: start, count: count) { Array($0) }
  }

  @Test func partsAreClampedToTheBytes() {
    var buffer = ReceiveBuffer(capacity: 8)
    buffer.fill(.max) { target in
      target.copyBytes(from: [1, 2, 3])
      return 3
    }
    #expect(text(buffer, 0, 3) == [1, 2, 3])
    #expect(text(buffer, 1, .max) == [2, 3])
    #expect(text(buffer, -5, 2) == [1, 2])
    #expect(text(buffer, 9, 1) == [])
    #expect(text(buffer, 0, -1) == [])
    buffer.drop(.max)
    buffer.drop(-1)
    let (count, isEmpty) = (buffer.count, buffer.isEmpty)
    #expect(count == 0 && isEmpty)
  }

  @Test func sizeNeverFallsBelowTheBytesThatWait() {
    var buffer = ReceiveBuffer(capacity: 4)
    buffer.fill(4) { target in
      target.copyBytes(from: [1, 2, 3, 4])
      return 4
    }
    buffer.drop(1)
    buffer.resize(to: 0)
    let capacity = buffer.capacity
    #expect(capacity == 3)
    #expect(text(buffer, 0, 3) == [2, 3, 4])
  }

  /// Random operations against an array.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func bufferHoldsWhatAnArrayWould(_ seed: UInt64) {
    var generator = SplitMix64(state: seed)
    var buffer = ReceiveBuffer(capacity: generator.below(40))
    var model: [UInt8] = []
    for _ in 0..<300 {
      switch generator.below(5) {
      case 0: buffer.compact()
      case 1: buffer.resize(to: generator.below(80))
      case 2:
        let count = generator.below(20)
        buffer.drop(count)
        model.removeFirst(min(count, model.count))
      default:
        let bytes = (0..<generator.below(20)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        buffer.fill(bytes.count) { target in
          target.copyBytes(from: bytes.prefix(target.count))
          model += bytes.prefix(target.count)
          return target.count
        }
      }
      let (count, capacity, room) = (buffer.count, buffer.capacity, buffer.room)
      #expect(count == model.count, "seed \(seed)")
      #expect(count + room <= capacity, "seed \(seed)")
      #expect(text(buffer, 0, .max) == model, "seed \(seed)")
      let number = buffer.bigUInt64
      #expect(
        number == (model.count < 8 ? nil : model.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }), "seed \(seed)"
      )
    }
  }
}
