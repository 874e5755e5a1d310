import Tracing

/// A service's operation, as listed to clients.
struct Operation: Hashable {
  var service: String
  var name: String
  var kind: Span.Kind
}

/// The operations of all indexed spans, each stored once, while some span has it.
///
/// It is bounded. An operation without room has the number 0: it is not listed, and its spans have to be read to be
/// distinguished.
struct OperationTable {
  private struct Row {
    var operation: Operation
    var spans = 0
  }

  /// Longer names are not kept.
  static let nameBytes = 1024
  static let unknown: UInt32 = 0

  private let limits: TraceIndex.Capacity
  private var rows: [Row?] = [nil]
  private var free: [UInt32] = []
  private var numbers: [Operation: UInt32] = [:]
  /// How many operations each has.
  private var counts: [String: Int] = [:]

  init(_ limits: TraceIndex.Capacity) { self.limits = limits }

  var services: [String] { counts.keys.sorted() }
  var count: Int { numbers.count }

  func operations(of service: String) -> [Operation] {
    numbers.keys.filter { $0.service == service }
      .sorted { ($0.name, $0.kind.rawValue) < ($1.name, $1.kind.rawValue) }
  }

  /// Notes one more span of an operation.
  mutating func enter(_ operation: Operation) -> UInt32 {
    if let number = numbers[operation] {
      rows[Int(number)]?.spans += 1
      return number
    }
    guard numbers.count < limits.operations, operation.service.utf8.count <= Self.nameBytes,
      operation.name.utf8.count <= Self.nameBytes,
      counts[operation.service] != nil || counts.count < limits.services
    else { return Self.unknown }
    let number = free.popLast() ?? UInt32(truncatingIfNeeded: rows.count)
    if Int(number) == rows.count { rows.append(nil) }
    rows[Int(number)] = Row(operation: operation, spans: 1)
    numbers[operation] = number
    counts[operation.service, default: 0] += 1
    return number
  }

  /// Notes one span less.
  mutating func leave(_ number: UInt32) {
    guard var row = rows[Int(number)] else { return }
    row.spans -= 1
    rows[Int(number)] = row.spans > 0 ? row : nil
    guard row.spans == 0 else { return }
    free.append(number)
    numbers[row.operation] = nil
    let left = (counts[row.operation.service] ?? 1) - 1
    counts[row.operation.service] = left > 0 ? left : nil
  }

  /// For each operation's number, whether it matches.
  func matching(service: String?, name: String?) -> [Bool] {
    rows.map { row in
      guard let operation = row?.operation else { return false }
      return (service ?? operation.service) == operation.service && (name ?? operation.name) == operation.name
    }
  }
}
