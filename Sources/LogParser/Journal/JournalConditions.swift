/// Which entries of a journal are wanted: groups of alternatives, one of each of which must hold. An alternative is a set
/// of fields with their values (`NAME=value`) that an entry must all have.
struct JournalConditions {
  private(set) var groups: [[[String]]] = []
  /// All fields that matter, each once.
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

  /// The number of the field that these bytes are.
  func match(_ bytes: UnsafeRawBufferPointer) -> Int? { fields.firstIndex { $0.elementsEqual(bytes) } }

  /// Whether an entry with the fields of these numbers is wanted.
  func accept(_ held: [Int]) -> Bool {
    numbers.allSatisfy { group in group.contains { $0.allSatisfy { held.contains($0) } } }
  }
}
