import Bytes

/// Environment variables: their names stay, and their values are removed, whatever the names are.
///
/// They occur as lists of texts (`env: ["A=b", "C=d"]`, JSON and Rust), as texts one by one (`env:"A=b" env:"C=d"`,
/// protobuf's text form), as a list without quotes (`[A=b C=d]`, Go), and as pairs (`{key:"A" value:"b"}`, the CRI).
extension SecretScanner {
  /// Takes the values of the variables that begin at ``index``, after the word `env`.
  mutating func takeEnvironment() {
    let depth = backslashes(at: index)
    if text.hasQuote(at: index, after: depth) {
      let start = index + depth + 1
      let end = closingQuote(from: start, depth)
      // A list that a logger quoted as a whole.
      if text.peek(start) == UInt8(ascii: "[") { return takeList(start + 1, end) }
      return takeVariable(start, end)
    }
    switch text.peek(index) {
    case UInt8(ascii: "["):
      if text.dropFirst(index).hasPrefix("[]") { return takeStructs(index + 2) }
      takeList(index + 1, text.count)
    case UInt8(ascii: "<"), UInt8(ascii: "{"): takePair(text.count)
    default: if hasName(at: index) { takeVariable(index, wordEnd(from: index)) }
    }
  }

  /// Takes all that is in a list up to its bracket.
  private mutating func takeList(_ start: Int, _ end: Int, closedBy bracket: UInt8 = UInt8(ascii: "]")) {
    index = start
    while index < end {
      let depth = backslashes(at: index)
      if text.hasQuote(at: index, after: depth) {
        let first = index + depth + 1
        let last = min(closingQuote(from: first, depth), end)
        takeVariable(first, last)
        index = max(index, min(last + depth + 1, end))
        continue
      }
      switch text[index] {
      case bracket:
        index += 1
        return
      case UInt8(ascii: "{"), UInt8(ascii: "<"): takePair(end)
      default:
        if hasName(at: index) { takeUnquoted(end) } else { index += 1 }
      }
    }
  }

  /// Takes what Go prints with its types: texts as in `[]string{"A=b"}`, and the pairs of
  /// `[]*KeyValue{&KeyValue{Key:A,Value:b,},}`.
  private mutating func takeStructs(_ start: Int) {
    index = start
    var isInside = false
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "{") {
        if isInside { takePair(text.count) } else { index += 1 }
        isInside = true
        if text.hasQuote(at: index, after: backslashes(at: index)) {
          return takeList(index, text.count, closedBy: UInt8(ascii: "}"))
        }
      } else if Self.isNameByte(byte) || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "&")
        || byte == UInt8(ascii: ",") || byte == UInt8(ascii: " ")
      {
        index += 1
      } else {
        return
      }
    }
  }

  /// Whether `NAME=` is at a position.
  private func hasName(at place: Int) -> Bool { nameEnd(at: place) != nil }

  /// The position of the `=` after a variable's name at `place`.
  private func nameEnd(at place: Int) -> Int? {
    let first = text.peek(place)
    guard first.isLetter || first == UInt8(ascii: "_") else { return nil }
    var end = place + 1
    while end - place < 256, Self.isNameByte(text.peek(end)) { end += 1 }
    return text.peek(end) == UInt8(ascii: "=") ? end : nil
  }

  /// Takes the value of a variable that is a whole text.
  private mutating func takeVariable(_ start: Int, _ end: Int) {
    guard let equals = nameEnd(at: start), equals < end else {
      index = max(index + 1, end)
      return
    }
    take(equals + 1, end)
    index = max(index, end)
  }

  /// Takes the value of a variable without quotes: up to the next variable, or the bracket that ends the list.
  private mutating func takeUnquoted(_ end: Int) {
    guard let equals = nameEnd(at: index) else {
      index += 1
      return
    }
    var depth = 0
    var place = equals + 1
    while place < end {
      switch text[place] {
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "]"):
        if depth == 0, isListEnd(place + 1) { return take(equals + 1, place) }
        depth = max(0, depth - 1)
      case UInt8(ascii: " "), UInt8(ascii: ","):
        if let next = nextName(place), next <= end { return take(equals + 1, place) }
      default: break
      }
      place += 1
    }
    take(equals + 1, end)
  }

  /// Whether a list can end before a position.
  private func isListEnd(_ place: Int) -> Bool {
    if place >= text.count { return true }
    let byte = text[place]
    return !byte.isLetter && !byte.isDigit
  }

  /// The position of a variable's name after blanks and a comma at `place`.
  private func nextName(_ place: Int) -> Int? {
    var next = place
    while next - place < 4, text.peek(next) == UInt8(ascii: " ") || text.peek(next) == UInt8(ascii: ",") {
      next += 1
    }
    return hasName(at: next) ? next : nil
  }

  /// Takes the value of a pair `{key:"A" value:"b"}`; ``index`` is at its bracket.
  private mutating func takePair(_ end: Int) {
    let open = text[index]
    let close = open == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: ">")
    index += 1
    while index < end {
      let byte = text[index]
      if byte == close {
        index += 1
        return
      }
      let isValue = byte | 0x20 == UInt8(ascii: "v") && text.slice(index + 1, index + 5) == "alue"
      guard isValue, let start = valueStart(index + 5) else {
        index += 1
        continue
      }
      let depth = backslashes(at: start)
      if text.hasQuote(at: start, after: depth) {
        take(start + depth + 1, min(closingQuote(from: start + depth + 1, depth), end))
      } else {
        take(start, min(wordEnd(from: start), end))
      }
    }
  }

  /// Where a value begins after its name: after quotes, a colon or an equals sign, and blanks.
  private func valueStart(_ place: Int) -> Int? {
    var start = place
    while start - place < 8, text.peek(start) == UInt8(ascii: "\\") || text.peek(start) == UInt8(ascii: "\"")
    { start += 1 }
    guard text.peek(start) == UInt8(ascii: ":") || text.peek(start) == UInt8(ascii: "=") else { return nil }
    start += 1
    while text.peek(start) == UInt8(ascii: " ") { start += 1 }
    return start
  }
}
