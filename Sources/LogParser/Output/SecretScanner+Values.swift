import Bytes

/// The values after names, with or without quotes, including in nested texts.
extension SecretScanner {
  /// Takes the value after the `=` or `:` at ``index``.
  mutating func takeValue(of kind: SecretName) {
    let sign = text[index]
    var start = index + 1
    // `a= b=c` is an empty value; `a = b` and `a: b` are not.
    let mayHaveBlanks = sign == UInt8(ascii: ":") || index > 0 && text[index - 1] == UInt8(ascii: " ")
    if sign == UInt8(ascii: "="), text.peek(start) == UInt8(ascii: ">") { start += 1 }
    let unspaced = start
    if mayHaveBlanks {
      while start - unspaced < 8, text.peek(start) == UInt8(ascii: " ") || text.peek(start) == 0x09 {
        start += 1
      }
    }
    // An `Option` as Rust prints it.
    if text.dropFirst(start).hasPrefix("Some(") { start += 5 }
    index = start
    if kind == .environment { return takeEnvironment() }
    let depth = backslashes(at: start)
    let quote = text.peek(start + depth)
    if quote == UInt8(ascii: "\"") {
      let first = start + depth + 1
      return takeQuoted(first, closingQuote(from: first, depth), kind)
    }
    if quote == UInt8(ascii: "'"), depth == 0 {
      let end = text.firstIndex(of: quote, from: start + 1) ?? text.count
      return takeQuoted(start + 1, end, kind)
    }
    takeBare(start, kind, isProse: sign == UInt8(ascii: ":") && start > unspaced)
  }

  private mutating func takeQuoted(_ start: Int, _ end: Int, _ kind: SecretName) {
    if Self.saysNothing(text.slice(start, end)) {
      index = end
      return
    }
    var start = start
    // The name of the scheme says how to log in, but is not a secret.
    if kind == .header, let length = schemeLength(at: start), start + length < end { start += length + 1 }
    take(start, end)
  }

  private mutating func takeBare(_ start: Int, _ kind: SecretName, isProse: Bool) {
    if kind == .header { return takeHeader(start) }
    let end = wordEnd(from: start)
    let value = text.slice(start, end)
    let isLikely = kind != .likely || !isProse || value.count >= 8 && looksRandom(start, end)
    if Self.saysNothing(value) || !isLikely {
      index = max(index, start)
      return
    }
    take(start, end)
  }

  /// A header's value without quotes: the rest of the line, or of the list that Go prints it in.
  private mutating func takeHeader(_ start: Int) {
    var start = start
    let isList = text.peek(start) == UInt8(ascii: "[") && !text.dropFirst(start).hasPrefix(Self.mark)
    if isList {
      start += 1
      let depth = backslashes(at: start)
      if text.hasQuote(at: start, after: depth) {
        return takeQuoted(start + depth + 1, closingQuote(from: start + depth + 1, depth), .header)
      }
    }
    if let length = schemeLength(at: start) { start += length + 1 }
    var end = start
    while end < text.count {
      let byte = text[end]
      if byte == 0x0a || byte == 0x0d || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      if isList, byte == UInt8(ascii: "]") { break }
      end += 1
    }
    take(start, end)
  }

  // MARK: Ends

  /// The number of backslashes at a position: those before a quote of a nested text.
  func backslashes(at place: Int) -> Int {
    var count = 0
    while count < 15, text.peek(place + count) == UInt8(ascii: "\\") { count += 1 }
    return count
  }

  /// The position of the quote that ends a text which began with a quote after `depth` backslashes; the end of the
  /// input if the text was cut off.
  ///
  /// Each level of nesting doubles the backslashes and adds one before a quote.
  func closingQuote(from start: Int, _ depth: Int) -> Int {
    var before = 0
    var place = start
    let period = 2 * (depth + 1)
    while place < text.count {
      let byte = text[place]
      if byte == UInt8(ascii: "\\") {
        before += 1
      } else {
        if byte == UInt8(ascii: "\""), before % period == depth { return place - depth }
        before = 0
      }
      place += 1
    }
    return text.count
  }

  /// The end of a value without quotes. A list in brackets is one value.
  func wordEnd(from start: Int) -> Int {
    var place = start
    if text.peek(place) == UInt8(ascii: "["),
      let length = text.slice(place, place + Self.authorityLimit).firstIndex(of: UInt8(ascii: "]"))
    {
      place += length + 1
    }
    while place < text.count, !Self.endsWord(text[place]) { place += 1 }
    return place
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "\""),
      UInt8(ascii: "'"),
      UInt8(ascii: "\\"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "<"),
      UInt8(ascii: ">"), UInt8(ascii: "|"):
      return true
    default: return false
    }
  }

  /// Whether a value is empty or reveals nothing.
  static func saysNothing(_ value: ByteSlice) -> Bool {
    switch value.count {
    case 0: return true
    case 3: return value == "nil" || value == "***"
    case 4: return value == "null" || value == "None" || value == "none" || value == "true"
    case 5: return value == "false"
    case 10: return value == SecretScanner.mark
    default: return false
    }
  }
}
