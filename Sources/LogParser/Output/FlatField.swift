import Bytes

/// The names that the flat formats (ndjson, logfmt, csv with chosen fields) give to what every record has.
enum FlatField: String, CaseIterable {
  case time, level, msg, source, name, pid, container, sandbox, file, line, count, delta

  /// The field with this name, or with one of the names that the classic formats have for it.
  init?(name: String) {
    switch name.lowercased() {
    case "filename": self = .file
    case "timedelta": self = .delta
    case let lower:
      guard let field = FlatField(rawValue: lower) else { return nil }
      self = field
    }
  }

  /// Whether a key is written with `data.` before it: when every record has a field of this name, or when the key is
  /// that of another field with `data.` before it.
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

  /// Whether a field of a record's own has this key.
  @inline(__always)
  static func isKnown(_ key: ByteSlice) -> Bool {
    if let known = KnownKey(key) { return known != .request }
    switch key.count {
    case 4: return key == "file" || key == "line"
    case 5: return key == "count" || key == "delta"
    default: return false
    }
  }

  /// The text of a field that is one; nil for the numbers and the time.
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

  /// The number of a field that is one.
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
