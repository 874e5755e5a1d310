/// The elements of a ``MergeHeap``.
protocol MergeOrdered {
  /// Whether this element comes before another one.
  func precedes(_ other: Self) -> Bool
}

/// A binary heap whose first element precedes all others.
///
/// A merge removes one element for each that it adds; ``replaceFirst(with:)`` does both in one pass. Elements are
/// shifted into the gap instead of being swapped, so that references are counted once, not three times.
struct MergeHeap<Element: MergeOrdered> {
  private var elements: [Element] = []

  var isEmpty: Bool { elements.isEmpty }
  var first: Element? { elements.first }
  /// All elements, in no particular order.
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

  /// Removes and returns the first element.
  @inline(__always)
  mutating func popFirst() -> Element? {
    guard let first = elements.first, let last = elements.popLast() else { return nil }
    if !elements.isEmpty { replaceFirst(with: last) }
    return first
  }

  /// Replaces the first element, or adds one if there is none.
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
