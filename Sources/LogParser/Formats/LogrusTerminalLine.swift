import Bytes

/// A line that logrus writes to a terminal: `INFO[0004] text   key=value`, with the seconds since the start or the time
/// in brackets. https://github.com/sirupsen/logrus
enum LogrusTerminalLine {
  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    guard text.count > 6, text[4] == UInt8(ascii: "[") else { return false }
    var scanner = TextScanner(text)
    scanner.skip(5)
    guard let level = level(text.prefix(4), &record.arena) else { return false }
    var elapsed = ByteSlice.empty
    let time = scanner.anyTime()
    if time == nil {
      let digits = scanner.rest
      guard scanner.number(4, 10) != nil else { return false }
      elapsed = digits.prefix(digits.count - scanner.rest.count)
    }
    guard scanner.take(UInt8(ascii: "]")) else { return false }
    record.time = time ?? .unset
    record.level = level
    if !elapsed.isEmpty { record.setField("elapsed", elapsed) }
    let rest = scanner.rest.trimmed
    let pairs = firstPair(rest)
    record.message = rest.prefix(pairs).trimmed
    add(rest.dropFirst(pairs), to: &record)
    return true
  }

  private static func level(_ word: ByteSlice, _ arena: inout Arena) -> ByteSlice? {
    guard
      word == "TRAC" || word == "DEBU" || word == "INFO" || word == "WARN" || word == "ERRO" || word == "FATA"
        || word == "PANI"
    else { return nil }
    return LevelName.normalized(word)
  }

  /// Where the pairs at the end of the text begin. A time, level or message among them belongs to another record that
  /// the message quotes.
  private static func firstPair(_ text: ByteSlice) -> Int {
    var start = text.count
    var index = 0
    while index < text.count {
      while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
      if let pair = pair(text, at: index) {
        let isQuoted = pair.key == "time" || pair.key == "level" || pair.key == "msg"
        if isQuoted { start = text.count } else if start == text.count { start = index }
        index = pair.end
      } else {
        start = text.count
        while index < text.count, text[index] != UInt8(ascii: " ") { index += 1 }
      }
    }
    return start
  }

  /// The pair at `start`, if there is one.
  private static func pair(_ text: ByteSlice, at start: Int) -> (key: ByteSlice, value: ByteSlice, end: Int)?
  {
    var index = start
    while index < text.count, isKeyByte(text[index]) { index += 1 }
    guard index > start, text.peek(index) == UInt8(ascii: "=") else { return nil }
    let key = text.slice(start, index)
    let value = index + 1
    guard text.peek(value) == UInt8(ascii: "\"") else {
      let end = text.firstIndex(of: UInt8(ascii: " "), from: value) ?? text.count
      return (key, text.slice(value, end), end)
    }
    let close = text.closingQuote(from: value + 1)
    guard close < text.count, close + 1 == text.count || text[close + 1] == UInt8(ascii: " ") else {
      return nil
    }
    return (key, text.slice(value + 1, close), close + 1)
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    byte.isWordByte || byte == 0x2e || byte == 0x40 || byte == 0x2f || byte == 0x2d
  }

  private static func add(_ pairs: ByteSlice, to record: inout Record) {
    var index = 0
    while index < pairs.count {
      while index < pairs.count, pairs[index] == UInt8(ascii: " ") { index += 1 }
      guard let pair = pair(pairs, at: index) else { return }
      let value =
        pair.value.contains(UInt8(ascii: "\\"))
        ? (try? Unescaper.unescape(pair.value, rule: .logfmt, into: &record.arena)) ?? pair.value : pair.value
      if let known = KnownKey(pair.key), known != .request {
        if !record.set(known, value, leastPid: 0) { record.setField(pair.key, value) }
      } else {
        record.setField(pair.key, value)
      }
      index = pair.end
    }
  }
}
