import Bytes
import Glibc
import Logging

/// A ``Selection`` prepared for testing each record.
final class SelectionFilter {
  /// The value of a field: text, or a number.
  struct Value {
    var slice: ByteSlice
    var number: Int?
  }

  private let selection: Selection
  private let tally: SelectionTally?
  private let sandboxes: WantedIDs
  private let containers: WantedIDs
  private var expressions: [regex_t?] = []
  /// The keys without the prefix `data.` that the flat formats give some of them.
  private let bareKeys: [String?]
  let isEverything: Bool
  /// The value that the last tested record had for the last tested match.
  @exclusivity(unchecked) private var matched: Value?

  /// - Parameter tally: receives the records that ``accepts(_:)`` rejects.
  init(_ selection: Selection, tally: SelectionTally? = nil) throws(RegularExpression.Problem) {
    self.selection = selection
    self.tally = tally
    isEverything = selection.isEverything
    sandboxes = WantedIDs(selection.sandboxes)
    containers = WantedIDs(selection.containers)
    bareKeys = selection.matches.map { $0.key.hasPrefix("data.") ? String($0.key.dropFirst(5)) : nil }
    for match in selection.matches {
      guard case .matches(let pattern) = match.pattern else {
        expressions.append(nil)
        continue
      }
      var expression = regex_t()
      let code = regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB)
      guard code == 0 else {
        throw RegularExpression.Problem(
          description: "--match \(match.key)~\(pattern): \(RegularExpression.reason(code, &expression))")
      }
      expressions.append(expression)
    }
  }

  deinit {
    for index in expressions.indices where expressions[index] != nil {
      if var expression = expressions[index] { regfree(&expression) }
    }
  }

  /// Whether the record is selected; also updates the tally.
  @inline(__always)
  func accepts(_ record: borrowing Record, _ owner: Owner) -> Bool {
    if isEverything { return true }
    guard let condition = firstBroken(by: record, owner) else {
      tally?.noteSelected()
      return true
    }
    if let tally, !tally.isOver { tally.note(condition, record, owner, value: matched) }
    return false
  }

  /// Whether the record is selected.
  func selects(_ record: borrowing Record, _ owner: Owner) -> Bool {
    isEverything || firstBroken(by: record, owner) == nil
  }

  /// The first condition that the record does not meet.
  private func firstBroken(by record: borrowing Record, _ owner: Owner) -> SelectionTally.Condition? {
    if let since = selection.since, record.time < since { return .since }
    if let until = selection.until, record.time > until { return .until }
    if !sandboxes.accept(owner.sandbox, or: owner.unknownID) { return .sandbox }
    if !containers.accept(owner.container, or: owner.unknownID) { return .container }
    if !selection.pods.isEmpty, !selection.pods.contains(where: { Self.isPod($0, owner) }) { return .pod }
    if !selection.sources.isEmpty, !selection.sources.contains(where: { record.source.equals(text: $0) }) {
      return .source
    }
    if let minimum = selection.minimumLevel {
      guard let level = LogLevel(name: record.level), level >= minimum else { return .level }
    }
    for index in selection.matches.indices where !holds(index, record) { return .match(index) }
    return nil
  }

  private static func isPod(_ wanted: Selection.Pod, _ owner: Owner) -> Bool {
    !owner.pod.isEmpty && owner.pod.hasPrefix(text: wanted.name)
      && (wanted.namespace.map { owner.namespace.isSame(as: $0) } ?? true)
  }

  private func holds(_ index: Int, _ record: borrowing Record) -> Bool {
    matched = value(ofMatch: index, in: record)
    guard let value = matched else { return false }
    switch selection.matches[index].pattern {
    case .equals(let wanted):
      return value.slice.equals(text: wanted) || value.number.map { "\($0)" == wanted } ?? false
    case .matches:
      guard var expression = expressions[index] else { return false }
      let text = value.number.map { "\($0)" } ?? value.slice.string
      return regexec(&expression, text, 0, nil, 0) == 0
    }
  }

  private func value(ofMatch index: Int, in record: borrowing Record) -> Value? {
    if let value = Self.value(of: selection.matches[index].key, in: record) { return value }
    return bareKeys[index].flatMap { Self.field($0, of: record) }
  }

  /// The names of the fields that every record has.
  static let knownKeys = ["msg", "level", "source", "name", "pid", "sandbox", "container"]

  /// The value of a field, which is given by a known name or an extra field's key.
  private static func value(of key: String, in record: borrowing Record) -> Value? {
    switch key {
    case "msg": Value(slice: record.message)
    case "level": Value(slice: record.level)
    case "source": Value(slice: record.source)
    case "name": Value(slice: record.name)
    case "sandbox": Value(slice: record.sandbox)
    case "container": Value(slice: record.container)
    case "pid": Value(slice: .empty, number: record.pid)
    default: field(key, of: record)
    }
  }

  private static func field(_ key: String, of record: borrowing Record) -> Value? {
    for index in 0..<record.fields.count where record.fields[index].key.equals(text: key) {
      return Value(slice: record.fields[index].value)
    }
    return nil
  }
}
