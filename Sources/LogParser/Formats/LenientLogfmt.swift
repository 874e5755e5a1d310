import Bytes

/// Reads a line of pairs that breaks the rules of logfmt as a person would: what is missing stays empty, and no word of
/// the line is lost.
///
/// The strict decoder tries each line first; this one reads what it refuses. Its rules are in `formats/input/logfmt`.
struct LenientLogfmt {
  /// The maximum number of words in a key; more words before a `=` are text.
  private static let keyWords = 5
  /// The maximum number of pairs; the rest is text. Each further pair would be compared with all before it.
  private static let pairLimit = 256

  private var scanner: PairScanner
  private var text: [ByteSlice] = []

  /// Whether a line is worth reading: it begins like a logger's line, and a value follows.
  static func begins(_ line: ByteSlice) -> Bool {
    if line.hasPrefix("time=") { return true }
    guard line.hasPrefix("level=") || line.hasPrefix("msg=") else { return false }
    guard let first = line.firstIndex(of: UInt8(ascii: "=")), line.peek(first + 1) > 0x20 else {
      return false
    }
    return line.firstIndex(of: UInt8(ascii: "="), from: first + 1) != nil
  }

  /// Reads `line` into `record`, which must be empty, and takes the agent's record out of it. The record has no time if
  /// the line has none that can be read.
  static func read(_ whole: ByteSlice, into record: inout Record, rules: ReadingRules) {
    // Chats and editors curl the quotes; then they are curled wherever they stand.
    let isCurled = whole.range(of: "=“") != nil || whole.range(of: "=”") != nil
    let line = isCurled ? PastedCharacters.repaired(whole).map { record.arena.copy($0) } ?? whole : whole
    var reader = LenientLogfmt(scanner: PairScanner(line))
    reader.readPairs(into: &record)
    record.fields.sortKeepingLast()
    guard rules.unpacksAgent, AgentRecord.mayBeIn(record, rules) else { return }
    var tolerant = rules
    tolerant.isStrict = false
    // An unreadable agent record is marked, which is not an error.
    try? AgentRecord.unpack(&record, rules: tolerant)
  }

  private init(scanner: PairScanner) { self.scanner = scanner }

  private mutating func readPairs(into record: inout Record) {
    var pairs = 0
    while pairs < Self.pairLimit, let run = scanner.nextKey() {
      guard let key = key(of: run) else { continue }
      let isMessage = key == "msg" || key == "error" || key == "err"
      let value = scanner.value(isTime: key == "time", isMessage: isMessage)
      assign(key, value.isQuoted ? unescaped(value.text, &record.arena) : value.text, to: &record)
      if value.isCut { record.marks.insert(.isTruncated) }
      pairs += 1
    }
    addText(scanner.rest)
    addTextField(to: &record)
  }

  /// The key of a run of words that ends with `=`; nil, with all words taken as text, if it does not.
  private mutating func key(of run: PairScanner.Words) -> ByteSlice? {
    guard run.endsInKey else {
      addText(run.text)
      return nil
    }
    if run.wordCount <= Self.keyWords, !run.hasQuote { return run.text }
    addText(run.text.prefix(run.lastWord))
    return run.text.dropFirst(run.lastWord)
  }

  private mutating func addText(_ words: ByteSlice) {
    let words = words.trimmed
    // A lone quote is the rest of a value that contains quotes.
    if !words.isEmpty, words != "\"" { text.append(words) }
  }

  private func addTextField(to record: inout Record) {
    guard var all = text.first else { return }
    for words in text.dropFirst() { all = record.arena.join(all, 0x20, words) }
    record.addField(record.arena.copy("text" as StaticString), all)
  }

  private func assign(_ key: ByteSlice, _ value: ByteSlice, to record: inout Record) {
    guard let known = KnownKey(key) else { return record.addField(key, value) }
    switch known {
    case .time:
      if record.time.isUnset {
        if record.set(.time, value) { return }
        return record.addField(record.arena.copy("time.unread" as StaticString), value)
      }
    case .pid:
      if record.pid == 0, value.isEmpty || record.set(.pid, value, leastPid: 0) { return }
    case .request: _ = record.set(.request, value)
    case .level: if take(value, &record.level) { return }
    case .msg: if take(value, &record.message) { return }
    case .name: if take(value, &record.name) { return }
    case .source: if take(value, &record.source) { return }
    case .container: if take(value, &record.container) { return }
    case .sandbox: if take(value, &record.sandbox) { return }
    }
    record.addField(key, value)
  }

  /// Sets a field that is not set yet.
  private func take(_ value: ByteSlice, _ field: inout ByteSlice) -> Bool {
    guard field.isEmpty else { return false }
    field = value
    return true
  }

  /// The text between quotes without its escapes. What is no escape stays as it is.
  private func unescaped(_ text: ByteSlice, _ arena: inout Arena) -> ByteSlice {
    guard text.contains(UInt8(ascii: "\\")) else { return text }
    if let value = try? Unescaper.unescape(text, rule: .logfmtKeepingHex, into: &arena) { return value }
    let out = arena.reserve(text.count)
    var count = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      let next = text.peek(index + 1)
      index += 1
      if byte == UInt8(ascii: "\\"), index < text.count, let meant = Self.meaning(of: next) {
        out[count] = meant
        index += 1
      } else {
        out[count] = byte
      }
      count += 1
    }
    return arena.commit(count)
  }

  private static func meaning(of escape: UInt8) -> UInt8? {
    switch escape {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "'"): escape
    case UInt8(ascii: "n"): 0x0a
    case UInt8(ascii: "r"): 0x0d
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }
}
