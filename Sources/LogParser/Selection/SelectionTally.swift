import Bytes
import Glibc
import Logging

/// Counts what each condition rejects while nothing is selected, so that a run that selects nothing can say why, and
/// which values exist.
///
/// The first selected record ends the counting: there is then nothing to explain.
final class SelectionTally {
  /// A condition of the selection, in the order of testing.
  enum Condition: Equatable {
    case since, until, sandbox, container, pod, source, level
    /// One of ``Selection/matches``.
    case match(Int)

    /// The condition's place in that order.
    var index: Int {
      switch self {
      case .since: 0
      case .until: 1
      case .sandbox: 2
      case .container: 3
      case .pod: 4
      case .source: 5
      case .level: 6
      case .match(let index): 7 + index
      }
    }
  }

  /// The number of records without a field of `--match` whose keys are noted, and of keys noted per record.
  private static let sampledRecords: UInt64 = 1000
  private static let sampledFields = 64

  /// What one condition rejected.
  private struct Rejections {
    let condition: Condition
    var count: UInt64 = 0
    var values = DistinctValues()
    /// The rejected time that is nearest to the wanted range.
    var nearest: Timestamp?
    /// Records by ``LogLevel``, followed by those without a known level.
    var levels = [UInt64](repeating: 0, count: LogLevel.allCases.count + 1)
    /// Records without the field.
    var lacking: UInt64 = 0
    var keys = DistinctValues()

    init(condition: Condition) { self.condition = condition }

    mutating func note(_ record: borrowing Record, _ owner: Owner, _ value: SelectionFilter.Value?) {
      count += 1
      switch condition {
      case .since: nearest = max(nearest ?? record.time, record.time)
      case .until: nearest = min(nearest ?? record.time, record.time)
      case .sandbox: values.note(owner.sandbox)
      case .container: values.note(owner.container)
      case .pod: if !owner.pod.isEmpty { values.note(joined: owner.namespace, 0x2f, owner.pod) }
      case .source: values.note(record.source)
      case .level: levels[LogLevel(name: record.level)?.rawValue ?? LogLevel.allCases.count] += 1
      case .match:
        if let value { note(value) } else { noteLacking(record) }
      }
    }

    private mutating func note(_ value: SelectionFilter.Value) {
      if let number = value.number { values.note(number) } else { values.note(value.slice) }
    }

    private mutating func noteLacking(_ record: borrowing Record) {
      lacking += 1
      guard lacking <= SelectionTally.sampledRecords else { return }
      for index in 0..<min(record.fields.count, SelectionTally.sampledFields) {
        keys.note(record.fields[index].key)
      }
    }
  }

  private let selection: Selection
  /// By ``Condition/index``. Changed for each rejected record, in one place that calls nothing back.
  @exclusivity(unchecked) private var rejections: [Rejections]
  @exclusivity(unchecked) private(set) var isOver = false

  init(_ selection: Selection) {
    self.selection = selection
    let known: [Condition] = [.since, .until, .sandbox, .container, .pod, .source, .level]
    rejections = (known + selection.matches.indices.map { .match($0) }).map { Rejections(condition: $0) }
  }

  /// Notes that a record was selected.
  @inline(__always)
  func noteSelected() { isOver = true }

  /// Notes a record that `condition` is the first to reject. `value` is what the record has for a match.
  func note(
    _ condition: Condition, _ record: borrowing Record, _ owner: Owner, value: SelectionFilter.Value?
  ) {
    rejections[condition.index].note(record, owner, value)
  }

  /// Why nothing was selected, in one line; nil if something was, or if there were no records.
  var explanation: String? {
    let rejections = rejections.filter { $0.count > 0 }
    if isOver || rejections.isEmpty { return nil }
    let details = rejections.map(detail).filter { !$0.isEmpty }.map { "; " + $0 }.joined()
    if rejections.count == 1 { return "no record matched \(option(rejections[0].condition))\(details)" }
    let parts = rejections.map { "\(option($0.condition)) left out \($0.count)" }
    return "no record matched the whole selection: \(parts.joined(separator: ", "))\(details)"
  }

  /// The condition as given on the command line.
  private func option(_ condition: Condition) -> String {
    func all(_ name: String, _ values: [String]) -> String {
      values.map { "\(name) \($0)" }.joined(separator: " or ")
    }
    switch condition {
    case .since: return "--since \(selection.since?.rfc3339 ?? "")"
    case .until: return "--until \(selection.until?.rfc3339 ?? "")"
    case .sandbox: return all("--sandbox", selection.sandboxes)
    case .container: return all("--container", selection.containers)
    case .pod: return all("--pod", selection.pods.map(\.description))
    case .source: return all("--source", selection.sources)
    case .level: return "--level \(selection.minimumLevel?.name ?? "")"
    case .match(let index): return "--match \(selection.matches[index])"
    }
  }

  /// The values that exist instead of the requested one.
  private func detail(_ rejections: Rejections) -> String {
    switch rejections.condition {
    case .since: return "the newest record is from \(rejections.nearest?.rfc3339 ?? "")"
    case .until: return "the oldest record is from \(rejections.nearest?.rfc3339 ?? "")"
    case .sandbox: return "found " + rejections.values.list("sandbox", "sandboxes")
    case .container: return "found " + rejections.values.list("container", "containers")
    case .pod: return "found " + rejections.values.list("pod", "pods")
    case .source: return "found " + rejections.values.list("source", "sources")
    case .level:
      let names = LogLevel.allCases.map(\.name) + ["without a known level"]
      let counts = zip(rejections.levels, names).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
      return "found " + counts.joined(separator: ", ")
    case .match(let index): return detail(selection.matches[index], rejections)
    }
  }

  private func detail(_ match: Selection.Match, _ rejections: Rejections) -> String {
    let key = match.key
    if rejections.lacking == rejections.count {
      return FieldName.unknown(key, rejections.keys, known: SelectionFilter.knownKeys)
    }
    // Messages differ from record to record, so a list of a few would not help.
    if key == "msg" {
      if case .matches = match.pattern { return "" }
      return "KEY=VALUE compares the whole message, KEY~REGEX finds a part of it"
    }
    let lacking = rejections.lacking
    let others = lacking == 0 ? "" : lacking == 1 ? "; 1 record lacks it" : "; \(lacking) records lack it"
    return "the field \"\(key)\" has \(rejections.values.list("value", "values"))\(others)"
  }
}
