import Bytes
import Synchronization
import System

/// A field of `--fields`: one that every record has, or the key of an extra one.
struct ChosenField: Sendable {
  let name: String
  let known: FlatField?
  /// The keys of the extra field, the likelier one first.
  private let keys: [String]
  /// Whether a record had the extra field; nil for a field that every record has.
  private let sightings: FieldSightings?

  init(_ name: String) {
    self.name = name
    known = FlatField(name: name)
    sightings = known == nil ? FieldSightings() : nil
    guard name.hasPrefix("data.") else {
      keys = [name]
      return
    }
    let inner = String(name.dropFirst(5))
    var base = inner
    while base.hasPrefix("data.") { base.removeFirst(5) }
    // As in ndjson, where the key of another field may be the whole name.
    keys = FlatField(rawValue: base) != nil ? [inner, name] : [name, inner]
  }

  /// The extra field's value. A key that is also the name of a known field has the prefix `data.`.
  func value(in record: borrowing Record) -> ByteSlice? {
    for key in keys {
      guard let value = Self.value(of: key, in: record) else { continue }
      sightings?.note()
      return value
    }
    sightings?.noteMissing(record)
    return nil
  }

  /// A message if records were written and none of them had the field; nil otherwise.
  ///
  /// - Parameter isSelection: whether only some of the records were written.
  func explanation(isSelection: Bool) -> String? {
    guard let keys = sightings?.keysWithoutIt else { return nil }
    return FieldName.unknown(
      name, keys, known: FlatField.allCases.map(\.rawValue), option: " (of --fields)",
      isSelection: isSelection)
  }

  private static func value(of key: String, in record: borrowing Record) -> ByteSlice? {
    for index in 0..<record.fields.count {
      let field = record.fields[index]
      if field.key.isSame(as: key) { return field.value }
    }
    return nil
  }
}

/// Whether any record had a field, and which keys the first records without it had instead. Threads share it.
private final class FieldSightings: Sendable {
  /// The number of records without the field whose keys are noted, and of keys noted per record.
  private static let sampledRecords = 256
  private static let sampledFields = 64

  private let isFound = Atomic(false)
  private let missing = Atomic(0)
  private let keys = Lock(DistinctValues())

  @inline(__always)
  func note() {
    if !isFound.load(ordering: .relaxed) { isFound.store(true, ordering: .relaxed) }
  }

  @inline(__always)
  func noteMissing(_ record: borrowing Record) {
    if isFound.load(ordering: .relaxed) || missing.load(ordering: .relaxed) >= Self.sampledRecords { return }
    missing.wrappingAdd(1, ordering: .relaxed)
    // Copied slices borrow from the record, which must not be captured.
    let sampled = (0..<min(record.fields.count, Self.sampledFields)).map { record.fields[$0].key }
    keys.withLock { keys in for key in sampled { keys.note(key) } }
  }

  /// The keys of the records without the field; nil if a record had it or there was no record.
  var keysWithoutIt: DistinctValues? {
    if isFound.load(ordering: .relaxed) || missing.load(ordering: .relaxed) == 0 { return nil }
    return keys.withLock { $0 }
  }
}
