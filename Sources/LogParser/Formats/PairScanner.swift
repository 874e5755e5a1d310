import Bytes

/// Finds keys and values in a line whose values may contain unescaped quotes, and whose keys may contain blanks.
struct PairScanner {
  /// The words from one value to the next.
  struct Words {
    /// All of them, from the first to the last.
    var text: ByteSlice
    /// Whether a `=` follows the last word directly.
    var endsInKey = false
    /// Where in `text` the last word begins.
    var lastWord = 0
    var wordCount = 0
    /// Whether one of them has a quote.
    var hasQuote = false
  }

  /// A value as written, without the quotes around it.
  struct Value {
    var text: ByteSlice
    var isQuoted = false
    /// Whether its closing quote is missing.
    var isCut = false
  }

  /// The maximum number of words in a key after a value that may contain text.
  private static let keyWords = 5

  private let line: ByteSlice
  private var position = 0

  init(_ line: ByteSlice) { self.line = line }

  /// The unread part of the line.
  var rest: ByteSlice { line.dropFirst(min(position, line.count)) }

  private func isBlank(_ place: Int) -> Bool { line[place] <= 0x20 }

  private func isDigit(_ place: Int) -> Bool { (0x30...0x39).contains(line.peek(place)) }

  private func skippingBlanks(_ place: Int) -> Int {
    var place = place
    while place < line.count, isBlank(place) { place += 1 }
    return place
  }

  /// The words up to the next `=`, or to the end of the line; nil if none are left.
  mutating func nextKey() -> Words? {
    let start = skippingBlanks(position)
    guard start < line.count else {
      position = line.count
      return nil
    }
    var run = Words(text: .empty)
    var place = start
    while place < line.count {
      let word = place
      var hasQuote = false
      while place < line.count, !isBlank(place) {
        let byte = line[place]
        if byte == UInt8(ascii: "\"") { hasQuote = true }
        // A word with a quote, or no word at all, is not a key.
        if byte == UInt8(ascii: "="), place > word, !hasQuote { break }
        place += 1
      }
      run.wordCount += 1
      run.hasQuote = run.hasQuote || hasQuote
      run.lastWord = word - start
      run.text = line.slice(start, place)
      run.endsInKey = place < line.count && !isBlank(place)
      if run.endsInKey { break }
      place = skippingBlanks(place)
    }
    position = place
    return run
  }

  /// The value of the key that was read last.
  ///
  /// - Parameters:
  ///   - isTime: whether a time of day and a zone may follow a date after blanks.
  ///   - isMessage: whether an unquoted value extends to the next key.
  mutating func value(isTime: Bool, isMessage: Bool) -> Value {
    // The `=` itself.
    position += 1
    let start = position
    guard start < line.count, !isBlank(start) else { return Value(text: .empty) }
    if line[start] == UInt8(ascii: "\"") { return quotedValue(start + 1) }
    var end = endOfWord(start)
    if isTime { end = endOfTime(start, end) }
    if isMessage { end = endOfMessage(end) }
    position = end
    return Value(text: line.slice(start, end))
  }

  private func endOfWord(_ start: Int) -> Int {
    var end = start
    while end < line.count, !isBlank(end) { end += 1 }
    return end
  }

  /// The end of a time whose date, `YYYY-MM-DD` or with slashes, is from `start` to `end`.
  private func endOfTime(_ start: Int, _ end: Int) -> Int {
    guard end - start == 10, isDigit(start), isDigit(end + 1), line.peek(end + 3) == UInt8(ascii: ":")
    else { return end }
    var last = endOfWord(end + 1)
    // `+0000` and `UTC`, as Go prints them.
    for _ in 0..<2 where last + 1 < line.count {
      let stop = endOfWord(last + 1)
      let word = line.slice(last + 1, stop)
      let isOffset = word.count == 5 && (word[0] == UInt8(ascii: "+") || word[0] == UInt8(ascii: "-"))
      guard isOffset || word == "UTC" || word == "Z" else { break }
      last = stop
    }
    return last
  }

  /// The end of an unquoted message: the last word before the next key, or the end of the line.
  private func endOfMessage(_ end: Int) -> Int {
    var last = end
    while true {
      let start = skippingBlanks(last)
      if start >= line.count { return last }
      let stop = endOfWord(start)
      if let equals = line.slice(start, stop).firstIndex(of: UInt8(ascii: "=")), equals > 0 { return last }
      last = stop
    }
  }

  /// The value whose text begins at `start`, after a quote.
  private mutating func quotedValue(_ start: Int) -> Value {
    var place = start
    /// The last quote that is followed by a blank but not by a key.
    var candidate: Int?
    while place < line.count {
      let byte = line[place]
      if byte == UInt8(ascii: "\\") {
        place += 2
        continue
      }
      if byte == UInt8(ascii: "\"") {
        let next = place + 1
        if skippingBlanks(next) >= line.count || isBlank(next) && keyFollows(next) {
          return end(start, place)
        }
        if isBlank(next) { candidate = place }
      }
      place += 1
    }
    if let candidate { return end(start, candidate) }
    position = line.count
    return Value(text: line.dropFirst(start), isQuoted: true, isCut: true)
  }

  private mutating func end(_ start: Int, _ quote: Int) -> Value {
    position = quote + 1
    return Value(text: line.slice(start, quote), isQuoted: true)
  }

  /// Whether a few words and a `=` follow, and the last word can end a key.
  private func keyFollows(_ start: Int) -> Bool {
    var place = start
    for _ in 0..<Self.keyWords {
      place = skippingBlanks(place)
      let word = place
      while place < line.count, Self.isOfKey(line[place]) { place += 1 }
      if place > word, line.peek(place) == UInt8(ascii: "=") { return true }
      guard place > word || place < line.count else { return false }
      while place < line.count, !isBlank(place) {
        if line[place] == UInt8(ascii: "\"") || line[place] == UInt8(ascii: "=") { return false }
        place += 1
      }
    }
    return false
  }

  private static func isOfKey(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"),
      UInt8(ascii: "@"):
      true
    default: false
    }
  }
}
