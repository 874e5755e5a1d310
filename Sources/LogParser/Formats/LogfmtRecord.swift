import Bytes
import Glibc

/// Reads one line of logfmt as a record of the runtime, by the rules of the Go tool.
package struct LogfmtRecord {
  package var rules: ReadingRules

  package init(rules: ReadingRules) { self.rules = rules }

  /// Whether a line is the runtime's own: pairs with a time, which nearly always comes first.
  @inline(__always)
  static func begins(_ line: ByteSlice) -> Bool { line.hasPrefix("time=") || hasLaterTime(line) }

  /// Whether a line of pairs has its time after another pair.
  private static func hasLaterTime(_ line: ByteSlice) -> Bool {
    guard let first = line.bytes.first, first | 0x20 &- 0x61 < 26, line.range(of: " time=") != nil else {
      return false
    }
    return TextRecord.looksLikeLogfmt(line)
  }

  /// The field that marks a record whose agent record could not be read.
  package static var unpackFailedKey: StaticString { "kata-log-parser-agent-unpack-failed" }

  /// Reads `line` into `record`, which must be empty, and unpacks the agent's record.
  @inline(__always)
  package func parse(_ line: ByteSlice, into record: inout Record) throws(RecordProblem) {
    record.scratch.index.find(in: line, endsAtLineFeed: false)
    try parseIndexed(line, into: &record)
  }

  /// As ``parse(_:into:)`` for the first line of `text`; returns its length without the line end.
  @inline(__always)
  package func parseFirstLine(of text: ByteSlice, into record: inout Record) throws(RecordProblem) -> Int {
    record.scratch.index.find(in: text, endsAtLineFeed: true)
    let length = record.scratch.index.length
    try parseIndexed(ByteSlice(base: text.base, count: length, isPlain: false), into: &record)
    return length
  }

  private func parseIndexed(_ line: ByteSlice, into record: inout Record) throws(RecordProblem) {
    let pairs = try decodeIndexed(line, into: &record, keepsHexEscapes: true)
    if rules.isLenient, pairs > record.fields.count + Self.ownCount(record) { try checkOwnKeys(line) }
    let isOwn = OwnLogfmt.isMarked(line)
    if isOwn { OwnLogfmt.restore(&record) }
    if rules.unpacksAgent, AgentRecord.mayBeIn(record) {
      try AgentRecord.unpack(&record, rules: rules)
    } else if rules.isLenient, rules.unpacksAgent, AgentRecord.mayBeCarried(by: record) {
      try AgentRecord.unpack(&record, rules: rules)
    }
    // A line that was written as a record is one, even if fields are missing.
    if isOwn, !record.time.isUnset, record.pid >= 0 { return }
    try RecordCheck.check(record, allowsMissingFields: rules.allowsMissingFields)
  }

  /// Reads the pairs of `line` into `record`.
  func decode(_ line: ByteSlice, into record: inout Record, keepsHexEscapes: Bool) throws(RecordProblem) {
    record.scratch.index.find(in: line, endsAtLineFeed: false)
    _ = try decodeIndexed(line, into: &record, keepsHexEscapes: keepsHexEscapes)
  }

  /// The number of known fields that have a value.
  @inline(__always)
  private static func ownCount(_ record: borrowing Record) -> Int {
    var count = record.time.isUnset ? 0 : 1
    if record.pid != 0 { count += 1 }
    if !record.level.isEmpty { count += 1 }
    if !record.message.isEmpty { count += 1 }
    if !record.source.isEmpty { count += 1 }
    if !record.name.isEmpty { count += 1 }
    if !record.sandbox.isEmpty { count += 1 }
    if !record.container.isEmpty { count += 1 }
    return count
  }

  /// Throws if a known key occurs more than once: the rules use the last value, and the others would be lost.
  @inline(never)
  private func checkOwnKeys(_ line: ByteSlice) throws(RecordProblem) {
    var arena = Arena()
    var decoder = LogfmtDecoder(line)
    var seen = OwnKeys()
    while let (key, _) = try decoder.next(&arena) {
      if let known = KnownKey(key), !seen.insert(known) {
        throw Self.repetition(of: key, column: decoder.column)
      }
    }
  }

  /// The known keys that a line has had so far.
  struct OwnKeys {
    private var bits: UInt16 = 0

    /// Notes a key; false if it was there already.
    mutating func insert(_ key: KnownKey) -> Bool {
      let bit = UInt16(1) << key.rawValue
      defer { bits |= bit }
      return bits & bit == 0
    }
  }

  /// Reads the pairs of the line that the record's index describes; returns their number.
  @inline(__always)
  private func decodeIndexed(
    _ line: ByteSlice, into record: inout Record, keepsHexEscapes: Bool
  ) throws(RecordProblem) -> Int {
    var plain = PlainPairs(line)
    while let (key, value, column) = plain.next(record.scratch.index) {
      try assign(key, value, to: &record, column: column)
    }
    var pairs = plain.count
    if plain.rest < line.count || line.isEmpty {
      pairs += try decodePairs(line, from: plain.rest, into: &record, keepsHexEscapes: keepsHexEscapes)
    }
    if let repeated = record.fields.sort() { throw Self.repetition(of: repeated, column: 0) }
    return pairs
  }

  /// Reads the pairs from an offset on, whatever their form; returns their number.
  private func decodePairs(
    _ line: ByteSlice, from rest: Int, into record: inout Record, keepsHexEscapes: Bool
  ) throws(RecordProblem) -> Int {
    var pairs = 0
    var decoder = LogfmtDecoder(line, from: rest, keepsHexEscapes: keepsHexEscapes)
    var isBlank = rest == 0
    while let (key, value) = try decoder.next(&record.arena) {
      isBlank = false
      pairs += 1
      if !(key.isPlain && value.isPlain) { try checkText(key, value, column: decoder.column) }
      try assign(key, value, to: &record, column: decoder.column)
    }
    if rules.isLenient, decoder.hasBareKey { throw Self.bareWord }
    if isBlank { throw RecordProblem("the line is blank", remedy: "remove it, or give --keep-going") }
    return pairs
  }

  /// The pairs of a line that are written as loggers write nearly every one: `key=value` or `key="value"` of nothing but
  /// plain bytes, a space behind.
  struct PlainPairs {
    private let line: ByteSlice
    private var place = 0
    /// The offset at which the first other pair begins, or the line's length.
    private(set) var rest = 0

    @inline(__always)
    init(_ line: ByteSlice) { self.line = line }

    /// How many there were.
    @inline(__always)
    var count: Int { place / 2 }

    /// The next pair and its column, from 1; nil where one is written in another way, or none is left.
    ///
    /// - Parameter index: of the line.
    @inline(__always)
    mutating func next(
      _ index: borrowing StructuralIndex
    ) -> (key: ByteSlice, value: ByteSlice, column: Int)? {
      let base = line.base
      let length = line.count
      let start = rest
      // All places are at most the line's length, behind which there is padding.
      guard let (equals, end) = index.pair(at: place), equals > start, equals < length, base[equals] == 0x3d,
        end == length || base[end] == 0x20
      else { return nil }
      // A value that begins with a quote is plain if it ends with one too, which is another: those between are places.
      let isQuoted = base[equals &+ 1] == 0x22
      let quote = isQuoted ? 1 : 0
      if isQuoted, end &- equals < 3 || base[end &- 1] != 0x22 { return nil }
      let from = equals &+ 1 &+ quote
      place &+= 2
      rest = min(end &+ 1, length)
      return (
        ByteSlice(base: base + start, count: equals &- start, isPlain: true),
        ByteSlice(base: base + from, count: end &- quote &- from, isPlain: true), start &+ 1
      )
    }
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

  /// A key without `=` is an empty field by the rules, but its writer meant a word of a key with blanks.
  static var bareWord: RecordProblem { RecordProblem("a word stands outside of keys and values") }

  static func repetition(of key: ByteSlice, column: Int) -> RecordProblem {
    RecordProblem(column: column, "the key \(quoted(key)) occurs more than once")
  }

  @inline(__always)
  private func assign(
    _ key: ByteSlice, _ value: ByteSlice, to record: inout Record, column: Int
  ) throws(RecordProblem) {
    guard let known = KnownKey(key) else { return try addField(key, value, to: &record, column: column) }
    switch known {
    case .time: record.time = try Self.time(value, &record.scratch.lastMinute, column: column)
    case .pid:
      if record.set(.pid, value) { return }
      guard value.isEmpty else {
        throw RecordProblem(column: column, "the pid \(quoted(value)) is not a number")
      }
      record.pid = 0
    case .request:
      _ = record.set(.request, value)
      try addField(key, value, to: &record, column: column)
    default: _ = record.set(known, value)
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
}
