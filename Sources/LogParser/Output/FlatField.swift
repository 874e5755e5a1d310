import Bytes

/// The fields that every record has, by their names in the flat formats (ndjson, logfmt, csv with chosen fields).
enum FlatField: String, CaseIterable {
  case time, level, msg, source, name, pid, container, sandbox, file, line, count, delta

  /// The field with this name, or with its name in one of the classic formats.
  init?(name: String) {
    switch name.lowercased() {
    case "filename": self = .file
    case "timedelta": self = .delta
    case let lower:
      guard let field = FlatField(rawValue: lower) else { return nil }
      self = field
    }
  }

  /// Whether a key is written with the prefix `data.`: if every record has a field of this name, or if the key is that
  /// of such a field with the prefix.
  @inline(__always)
  static func isPrefixed(_ key: ByteSlice, in record: borrowing Record) -> Bool {
    if isKnown(key) { return true }
    guard key.count > 5, key[0] == UInt8(ascii: "d"), key.hasPrefix("data.") else { return false }
    return isTaken(key, in: record)
  }

  @inline(never)
  private static func isTaken(_ key: ByteSlice, in record: borrowing Record) -> Bool {
    let rest = key.dropFirst(5)
    var base = rest
    while base.hasPrefix("data.") { base = base.dropFirst(5) }
    return isKnown(base) && record.fields.value(of: rest) != nil
  }

  /// Whether this key is the name of a field that every record has.
  @inline(__always)
  static func isKnown(_ key: ByteSlice) -> Bool {
    if let known = KnownKey(key) { return known != .request }
    switch key.count {
    case 4: return key == "file" || key == "line"
    case 5: return key == "count" || key == "delta"
    default: return false
    }
  }

  /// The value of a text field; nil for the numbers and the time.
  @inline(__always)
  func text(_ record: borrowing Record, _ place: RecordPlace) -> ByteSlice? {
    switch self {
    case .level: record.level
    case .msg: record.message
    case .source: record.source
    case .name: record.name
    case .container: record.container
    case .sandbox: record.sandbox
    case .file: place.filename
    case .time, .pid, .line, .count, .delta: nil
    }
  }

  /// The value of a numeric field.
  func number(_ record: borrowing Record, _ place: RecordPlace) -> Int64? {
    switch self {
    case .pid: Int64(record.pid)
    case .line: Int64(clamping: record.line)
    case .count: Int64(clamping: place.count)
    case .delta: place.delta
    default: nil
    }
  }
}
