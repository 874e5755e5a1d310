import Bytes
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
    record.index.find(in: line, endsAtLineFeed: false)
    try parseIndexed(line, into: &record)
  }

  /// As ``parse(_:into:)`` for the first line of `text`; returns its length, its line end left out.
  @inline(__always)
  package func parseFirstLine(of text: ByteSlice, into record: inout Record) throws(RecordProblem) -> Int {
    record.index.find(in: text, endsAtLineFeed: true)
    let length = record.index.length
    try parseIndexed(ByteSlice(base: text.base, count: length, isPlain: false), into: &record)
    return length
  }

  private func parseIndexed(_ line: ByteSlice, into record: inout Record) throws(RecordProblem) {
    try decodeIndexed(line, into: &record, keepsHexEscapes: true)
    let isOwn = OwnLogfmt.isMarked(line)
    if isOwn { OwnLogfmt.restore(&record) }
    if rules.unpacksAgent, AgentRecord.mayBeIn(record) {
      try AgentRecord.unpack(&record, rules: rules)
    }
    // What was written as a record is one, whatever it lacks.
    if isOwn, !record.time.isUnset, record.pid >= 0 { return }
    try RecordCheck.check(record, allowsMissingFields: rules.allowsMissingFields)
  }

  /// Reads the pairs of `line` into `record`.
  func decode(_ line: ByteSlice, into record: inout Record, keepsHexEscapes: Bool) throws(RecordProblem) {
    record.index.find(in: line, endsAtLineFeed: false)
    try decodeIndexed(line, into: &record, keepsHexEscapes: keepsHexEscapes)
  }

  /// Reads the pairs of a line that the record's index is of.
  @inline(__always)
  private func decodeIndexed(
    _ line: ByteSlice, into record: inout Record, keepsHexEscapes: Bool
  ) throws(RecordProblem) {
    let rest = try decodePlainPairs(line, into: &record)
    if rest < line.count || line.isEmpty {
      try decodePairs(line, from: rest, into: &record, keepsHexEscapes: keepsHexEscapes)
    }
    if let repeated = record.fields.sort() { throw Self.repetition(of: repeated, column: 0) }
  }

  /// Reads the pairs from an offset on, whatever they look like.
  private func decodePairs(
    _ line: ByteSlice, from rest: Int, into record: inout Record, keepsHexEscapes: Bool
  ) throws(RecordProblem) {
    var decoder = LogfmtDecoder(line, from: rest, keepsHexEscapes: keepsHexEscapes)
    var isBlank = rest == 0
    while let (key, value) = try decoder.next(&record.arena) {
      isBlank = false
      if !(key.isPlain && value.isPlain) { try checkText(key, value, column: decoder.column) }
      try assign(key, value, to: &record, column: decoder.column)
    }
    if isBlank { throw RecordProblem("the line is blank", remedy: "remove it, or give --keep-going") }
  }

  /// Reads the pairs that are written as loggers write nearly every one: `key=value` or `key="value"` of nothing but
  /// plain bytes, a space behind. Returns the offset at which the first other one begins, or the line's length.
  @inline(__always)
  private func decodePlainPairs(_ line: ByteSlice, into record: inout Record) throws(RecordProblem) -> Int {
    let base = line.base
    let length = line.count
    var start = 0
    var place = 0
    while place < record.index.count {
      // All places are at most the line's length, behind which there is padding.
      let equals = record.index[place]
      let end = record.index[place &+ 1]
      guard equals > start, equals < length, base[equals] == 0x3d, end == length || base[end] == 0x20
      else { break }
      // A value that begins with a quote is plain if it ends with one too, which is another: those between are places.
      let isQuoted = base[equals &+ 1] == 0x22
      let quote = isQuoted ? 1 : 0
      if isQuoted, end &- equals < 3 || base[end &- 1] != 0x22 { break }
      let from = equals &+ 1 &+ quote
      try assign(
        ByteSlice(base: base + start, count: equals &- start, isPlain: true),
        ByteSlice(base: base + from, count: end &- quote &- from, isPlain: true), to: &record,
        column: start &+ 1)
      place &+= 2
      start = min(end &+ 1, length)
    }
    return start
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
    if let short = parseShort(text) { return short }
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

  /// A number of one to eight digits without a sign; nil says nothing.
  @inline(__always)
  private static func parseShort(_ text: ByteSlice) -> Int? {
    guard text.count &- 1 < 8, text.count > 0 else { return nil }
    // Eight bytes are in the slice and its padding. Zeros are put before the digits in place of what follows them.
    let word = UInt64(littleEndian: UnsafeRawPointer(text.base).loadUnaligned(as: UInt64.self))
    let bits = UInt64(truncatingIfNeeded: text.count &* 8)
    let zeros = bits == 64 ? 0 : 0x3030_3030_3030_3030 &>> bits
    return DecimalDigits.parse(word &<< (64 &- bits) | zeros).map { Int($0) }
  }
}
