/// The conditions that select journal entries: groups of alternatives, of which one per group must match. An
/// alternative is a set of fields with values (`NAME=value`), all of which an entry must have.
struct JournalConditions {
  private(set) var groups: [[[String]]] = []
  /// All relevant fields, each once.
  private var fields: [[UInt8]] = []
  private var numbers: [[[Int]]] = []

  mutating func add(_ group: [[String]]) {
    groups.append(group)
    numbers.append(
      group.map { alternative in
        alternative.map { field in
          let bytes = Array(field.utf8)
          if let known = fields.firstIndex(of: bytes) { return known }
          fields.append(bytes)
          return fields.count - 1
        }
      })
  }

  func mayMatch(length: Int) -> Bool { fields.contains { $0.count == length } }

  /// The number of the field with these bytes.
  func match(_ bytes: UnsafeRawBufferPointer) -> Int? { fields.firstIndex { $0.elementsEqual(bytes) } }

  /// Whether an entry with the fields with these numbers is selected.
  func accept(_ held: [Int]) -> Bool {
    numbers.allSatisfy { group in group.contains { $0.allSatisfy { held.contains($0) } } }
  }
}
