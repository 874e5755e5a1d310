import TestSupport
import Testing

@testable import LogParser

struct MergeHeapTests {
  private struct Number: MergeOrdered, Equatable {
    var value: UInt64
    func precedes(_ other: Number) -> Bool { value < other.value }
  }

  @Test(.seeded) func firstIsTheLeastAfterAnySteps() {
    var random = Seed.generator()
    for _ in 0..<200 {
      var heap = MergeHeap<Number>()
      var model: [UInt64] = []
      for _ in 0..<100 {
        let value = random.next() % 50
        switch random.next() % 4 {
        case 0, 1:
          heap.push(Number(value: value))
          model.append(value)
        case 2:
          #expect(heap.popFirst()?.value == model.first)
          if !model.isEmpty { model.removeFirst() }
        default:
          heap.replaceFirst(with: Number(value: value))
          if !model.isEmpty { model.removeFirst() }
          model.append(value)
        }
        model.sort()
        #expect(heap.first?.value == model.first && heap.isEmpty == model.isEmpty)
        #expect(heap.unordered.map(\.value).sorted() == model)
      }
    }
  }
}
