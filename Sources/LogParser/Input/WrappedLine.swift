import Bytes

/// A line of logfmt that an editor or a terminal has wrapped, or that has a line end in a value, while its rest
/// arrives.
struct WrappedLine: ~Copyable {
  static let lineLimit = 32
  /// The minimum width of a wrapped line.
  static let leastWidth = 40

  private(set) var isOpen = false
  private(set) var number: UInt64 = 0
  private(set) var bytes: [UInt8] = []
  private var lineCount = 0
  private var indentation: Int?
  /// Whether a quoted value is open at the end of the text so far.
  private var isQuoted = false
  /// The last line that was read by itself, so that it is not tried again.
  var lastTried: UInt64 = 0

  /// Whether a line that is followed by one with this byte first may be wrapped.
  @inline(__always)
  static func mayBegin(_ line: ByteSlice, before next: UInt8) -> Bool {
    // Lines of one format begin alike; logfmt lines share more than this.
    if next == line.peek(0), next > 0x20, next != UInt8(ascii: "t") { return false }
    // A wrapped object is recognised by its braces.
    return line.peek(0) != UInt8(ascii: "{") && next != 0x0a && next != 0x0d && next != UInt8(ascii: "{")
      && next != UInt8(ascii: "<")
      && next != UInt8(ascii: "`") && line.count >= leastWidth
      && (line.range(of: "time=\"") != nil || line.range(of: " level=") != nil)
  }

  mutating func open(_ line: ByteSlice, _ number: UInt64) {
    isOpen = true
    self.number = number
    lastTried = number
    bytes = Array(line.droppingLast(UInt8(ascii: "\r")).bytes)
    lineCount = 1
    indentation = nil
    isQuoted = Self.isOpenQuoted(line, false)
  }

  mutating func close() { isOpen = false }

  var wasJoined: Bool { lineCount > 1 }

  /// Adds a line that has no record of its own if it continues the text so far.
  mutating func add(_ whole: ByteSlice) -> Bool {
    let line = whole.droppingLast(UInt8(ascii: "\r"))
    guard lineCount < Self.lineLimit, bytes.count + line.count <= PastedText.lengthLimit,
      !line.trimmed.isEmpty,
      !PastedText.isFrame(line)
    else { return false }
    let text = line.dropFirst(indent(of: line))
    guard isQuoted || isRest(text) else { return false }
    // A value that ends with a line end has its closing quote on the next line.
    if isQuoted, text.hasPrefix("\"") { bytes.append(contentsOf: [0x5c, 0x6e]) }
    if !isQuoted, lacksBlank(before: text) { bytes.append(0x20) }
    isQuoted = Self.isOpenQuoted(text, isQuoted)
    bytes.append(contentsOf: text.bytes)
    lineCount += 1
    return true
  }

  /// Whether the blank between two pairs was lost where the line was wrapped: a value without quotes has no `=`.
  private func lacksBlank(before text: ByteSlice) -> Bool {
    guard Self.beginsWithKey(text) else { return false }
    let word = bytes.suffix(from: bytes.lastIndex(of: 0x20).map { $0 + 1 } ?? 0)
    if word.last == 0x22 { return true }
    guard let place = word.firstIndex(of: UInt8(ascii: "=")) else { return false }
    return place + 1 < word.endIndex && word[place + 1] != 0x22
  }

  private static func beginsWithKey(_ text: ByteSlice) -> Bool {
    guard let equals = text.firstIndex(of: UInt8(ascii: "=")), equals > 0, text[0].isLetter else {
      return false
    }
    return text.prefix(equals).bytes.allSatisfy { $0.isWordByte || $0 == 0x2d || $0 == 0x2e }
  }

  /// Whether a line that has a record's keys is the rest of one that has only its time yet.
  func isContinued(by line: ByteSlice) -> Bool {
    let words = line.trimmed
    guard line.peek(0) == 0x20, words.hasPrefix("level=") || words.hasPrefix("msg=") else { return false }
    return ByteSlice.withCopy(of: bytes) { text in
      text.range(of: "time=\"") != nil && text.range(of: " level=") == nil && text.range(of: " msg=") == nil
    }
  }

  /// How many blanks the wrapping set the line in by: the same for all lines. A single one is the text's.
  private mutating func indent(of line: ByteSlice) -> Int {
    var count = 0
    while count < min(line.count, indentation ?? line.count), line[count] == 0x20 { count += 1 }
    if indentation == nil { indentation = count < 2 ? 0 : count }
    return min(count, indentation ?? 0)
  }

  /// Whether a line continues the pairs: only pairs follow the rest of the split word, or the word is an id that
  /// becomes complete.
  private func isRest(_ text: ByteSlice) -> Bool {
    if let last = bytes.last, last == 0x22, text.peek(0) != 0x20, !Self.beginsWithKey(text) { return false }
    var index = text.firstIndex(of: 0x20) ?? text.count
    var pairs = text.prefix(index).contains(UInt8(ascii: "=")) ? 1 : 0
    while index < text.count {
      while index < text.count, text[index] == 0x20 { index += 1 }
      if index == text.count { break }
      let stop = text.endOfWord(from: index).at
      let isCut = stop == text.count
      guard stop > index, isCut || text[stop] == UInt8(ascii: "=") else { return false }
      pairs += isCut ? 0 : 1
      index = stop + 1
      if text.peek(index) == 0x22 {
        index = text.closingQuote(from: index + 1) + 1
      } else {
        while index < text.count, text[index] > 0x20 { index += 1 }
      }
    }
    return pairs > 0 || completesID(text)
  }

  private func completesID(_ text: ByteSlice) -> Bool {
    var before = 0
    while before < bytes.count, bytes[bytes.count - 1 - before].isHexDigit { before += 1 }
    var behind = 0
    while behind < text.count, text[behind].isHexDigit { behind += 1 }
    return before > 0 && behind > 0 && (before + behind == 64 || before + behind == 32)
  }

  private static func isOpenQuoted(_ text: ByteSlice, _ isQuoted: Bool) -> Bool {
    var isOpen = isQuoted
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "\\") {
        index += 2
        continue
      }
      if text[index] == 0x22 { isOpen.toggle() }
      index += 1
    }
    return isOpen
  }
}
