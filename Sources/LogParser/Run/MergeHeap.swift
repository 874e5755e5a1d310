/// What a ``MergeHeap`` puts in order.
protocol MergeOrdered {
  /// Whether this element comes before another one.
  func precedes(_ other: Self) -> Bool
}

/// A binary heap: the element that precedes all others is the first.
///
/// A merge takes one element out for each that it puts in; ``replaceFirst(with:)`` does both in one pass. Elements are
/// shifted into the gap instead of being swapped: those that hold references are counted once, not three times.
struct MergeHeap<Element: MergeOrdered> {
  private var elements: [Element] = []

  var isEmpty: Bool { elements.isEmpty }
  var first: Element? { elements.first }
  /// All elements, in no order.
  var unordered: [Element] { elements }

  @inline(__always)
  mutating func push(_ element: Element) {
    var gap = elements.count
    elements.append(element)
    while gap > 0, case let parent = (gap - 1) / 2, element.precedes(elements[parent]) {
      elements[gap] = elements[parent]
      gap = parent
    }
    elements[gap] = element
  }

  /// Takes out the first element.
  @inline(__always)
  mutating func popFirst() -> Element? {
    guard let first = elements.first, let last = elements.popLast() else { return nil }
    if !elements.isEmpty { replaceFirst(with: last) }
    return first
  }

  /// Puts an element in the place of the first one, or of none.
  @inline(__always)
  mutating func replaceFirst(with element: Element) {
    let count = elements.count
    if count == 0 { return elements.append(element) }
    var gap = 0
    while true {
      var child = 2 * gap + 1
      if child >= count { break }
      if child + 1 < count, elements[child + 1].precedes(elements[child]) { child += 1 }
      if !elements[child].precedes(element) { break }
      elements[gap] = elements[child]
      gap = child
    }
    elements[gap] = element
  }
}
