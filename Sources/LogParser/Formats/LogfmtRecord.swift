import Basics
import Glibc

/// What the rules of reading leave to the user.
package struct ReadingRules: Sendable {
  /// Whether a record without pid, level, source or name is accepted.
  package var allowsMissingFields = false
  /// Whether the agent's own records are taken out of the lines that carry them.
  package var unpacksAgent = true
  /// Whether a line that carries no readable agent record, or no record at all, is an error.
  package var isStrict = false

  package init() {}
}

/// Reads one line of logfmt as a record of the runtime, by the reading rules of the log format's original tool.
package struct LogfmtRecord {
  package var rules: ReadingRules

  package init(rules: ReadingRules) { self.rules = rules }

  /// The field that is set on a record whose agent record could not be read.
  package static var unpackFailedKey: StaticString { "kata-log-parser-agent-unpack-failed" }

  /// Reads `line` into `record`, which must be empty, and takes the agent's record out of it.
  @inline(__always)
  package func parse(_ line: ByteSlice, into record: inout Record) throws(RecordProblem) {
    try decode(line, into: &record, keepsHexEscapes: true)
    if rules.unpacksAgent, AgentRecord.mayBeIn(record) {
      try AgentRecord.unpack(&record, rules: rules)
    }
    try RecordCheck.check(record, allowsMissingFields: rules.allowsMissingFields)
  }

  /// Reads the pairs of `line` into `record`.
  @inline(__always)
  func decode(_ line: ByteSlice, into record: inout Record, keepsHexEscapes: Bool) throws(RecordProblem) {
    let rest = try decodePlainPairs(line, into: &record)
    if rest < line.end || line.isEmpty {
      var decoder = LogfmtDecoder(line, from: rest, keepsHexEscapes: keepsHexEscapes)
      var isBlank = rest == line.base
      while let (key, value) = try decoder.next(&record.arena) {
        isBlank = false
        if !(key.isPlain && value.isPlain) { try checkText(key, value, column: decoder.column) }
        try assign(key, value, to: &record, column: decoder.column)
      }
      if isBlank { throw RecordProblem("the line is blank", remedy: "remove it, or give --keep-going") }
    }
    if let repeated = record.fields.sort() { throw Self.repetition(of: repeated, column: 0) }
  }

  /// Reads the pairs that are written as loggers write nearly every one: `key=value` or `key="value"` of nothing but
  /// plain bytes, a space behind. Returns where the first other one begins, or the line's end.
  private func decodePlainPairs(
    _ line: ByteSlice, into record: inout Record
  ) throws(RecordProblem) -> UnsafePointer<UInt8> {
    var p = line.base
    let end = ByteScanner.endOfPlainOrQuotes(p, line.end)
    while p < end {
      let keyEnd = ByteScanner.endOfPlainKey(p, end)
      let valueStart = keyEnd + 1
      guard keyEnd > p, valueStart < end, keyEnd.pointee == 0x3d else { break }
      let isQuoted = valueStart.pointee == 0x22
      let from = isQuoted ? valueStart + 1 : valueStart
      let valueEnd = isQuoted ? ByteScanner.first(0x22, from, end) : ByteScanner.endOfPlainWord(from, end)
      // Where the plain bytes end before the line does, the last value may go on.
      guard valueEnd < end || (end == line.end && !isQuoted) else { break }
      let next = isQuoted ? valueEnd + 1 : valueEnd
      guard next < end ? next.pointee == 0x20 : next == line.end else { break }
      try assign(
        ByteSlice(base: p, count: keyEnd - p, isPlain: true),
        ByteSlice(base: from, count: valueEnd - from, isPlain: true), to: &record, column: p - line.base + 1)
      p = next < end ? next + 1 : end
    }
    return p
  }

  private func checkText(_ key: ByteSlice, _ value: ByteSlice, column: Int) throws(RecordProblem) {
    if !key.isPlain, TextCheck.isBlank(key) {
      throw RecordProblem(column: column, "a key is nothing but white space")
    }
    if let problem = TextCheck.problem(in: key) {
      throw RecordProblem(column: column, "the key \(quoted(key)) is invalid: \(problem)")
    }
    if let problem = TextCheck.problem(in: value) {
      throw RecordProblem(column: column, "the value of \(quoted(key)) is invalid: \(problem)")
    }
  }

  static func repetition(of key: ByteSlice, column: Int) -> RecordProblem {
    RecordProblem(column: column, "the key \(quoted(key)) occurs more than once")
  }

  @inline(__always)
  private func assign(
    _ key: ByteSlice, _ value: ByteSlice, to record: inout Record, column: Int
  ) throws(RecordProblem) {
    switch KnownKey(key) {
    case .time: record.time = try Self.time(value, &record.lastMinute, column: column)
    case .level: record.level = value
    case .msg: record.message = value
    case .name: record.name = value
    case .source: record.source = value
    case .container: record.container = value
    case .sandbox: record.sandbox = value
    case .pid:
      guard let pid = value.isEmpty ? 0 : DecimalNumber.parse(value) else {
        throw RecordProblem(column: column, "the pid \(quoted(value)) is no number")
      }
      record.pid = pid
    case .request:
      if let container = Self.containerID(inRequest: value) { record.container = container }
      try addField(key, value, to: &record, column: column)
    case nil:
      try addField(key, value, to: &record, column: column)
    }
  }

  @inline(__always)
  private func addField(
    _ key: ByteSlice, _ value: ByteSlice, to record: inout Record, column: Int
  ) throws(RecordProblem) {
    if !record.fields.add(key, value) { throw Self.repetition(of: key, column: column) }
  }

  @inline(__always)
  private static func time(
    _ value: ByteSlice, _ minute: inout Timestamp.MinuteCache, column: Int
  ) throws(RecordProblem) -> Timestamp {
    if let time = minute.parse(value.base, count: value.count) { return time }
    guard let time = minute.parseAndKeep(value.bytes) else {
      throw RecordProblem(
        column: column,
        "the time \(quoted(value)) is not of the form YYYY-MM-DDTHH:MM:SS.n to .nnnnnnnnn, then Z or +HH:MM")
    }
    return time
  }

  /// The id in a logged request that names one: `container_id:"…"`.
  static func containerID(inRequest request: ByteSlice) -> ByteSlice? {
    var from = 0
    while let found = request.range(of: "container_id:\"", from: from) {
      let start = found + 14
      if let end = request.firstIndex(of: 0x22, from: start) { return request.slice(start, end) }
      from = start
    }
    return nil
  }
}

/// A text in quotes for a message, cut when it is long.
func quoted(_ text: ByteSlice) -> String {
  text.count <= 64 ? "\"\(text.string)\"" : "\"\(text.prefix(61).string)...\""
}

/// The keys that have a place of their own in a record.
enum KnownKey {
  case time, level, msg, name, pid, source, container, sandbox, request

  /// Finds a key by its length and its bytes as one little-endian number; the padding behind a slice makes the load
  /// of eight bytes safe.
  @inline(__always)
  init?(_ key: ByteSlice) {
    let raw = UInt64(littleEndian: UnsafeRawPointer(key.base).loadUnaligned(as: UInt64.self))
    switch key.count {
    case 3:
      switch raw & 0xff_ffff {
      case 0x67736d: self = .msg
      case 0x646970: self = .pid
      case 0x716572: self = .request
      default: return nil
      }
    case 4:
      switch raw & 0xffff_ffff {
      case 0x656d_6974: self = .time
      case 0x656d_616e: self = .name
      default: return nil
      }
    case 5:
      guard raw & 0xff_ffff_ffff == 0x6c_6576_656c else { return nil }
      self = .level
    case 6:
      guard raw & 0xffff_ffff_ffff == 0x6563_7275_6f73 else { return nil }
      self = .source
    case 7:
      guard raw & 0xff_ffff_ffff_ffff == 0x78_6f62_646e_6173 else { return nil }
      self = .sandbox
    case 9:
      guard raw == 0x656e_6961_746e_6f63, key[8] == 0x72 else { return nil }
      self = .container
    default: return nil
    }
  }
}

/// Decimal integers as Go's `strconv.Atoi` reads them: an optional sign, then digits, within 64 bits.
enum DecimalNumber {
  @inline(__always)
  static func parse(_ text: ByteSlice) -> Int? {
    var index = 0
    var isNegative = false
    if let first = text.bytes.first, first == 0x2b || first == 0x2d {
      isNegative = first == 0x2d
      index = 1
    }
    guard index < text.count else { return nil }
    var value = 0
    while index < text.count {
      let digit = text[index] &- 0x30
      guard digit < 10 else { return nil }
      let (scaled, tooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) =
        isNegative
        ? scaled.subtractingReportingOverflow(Int(digit)) : scaled.addingReportingOverflow(Int(digit))
      if tooLarge || carried { return nil }
      value = sum
      index += 1
    }
    return value
  }
}
