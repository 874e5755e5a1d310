import Bytes

/// Decodes one line of logfmt into pairs of key and value, by the rules of Go's `go-logfmt`, the decoder that the
/// runtime's logs have always been read with (https://pkg.go.dev/github.com/go-logfmt/logfmt).
///
/// `\x` is kept as two characters: the runtime logs C-style escapes, which are not part of logfmt.
struct LogfmtDecoder {
  private let line: ByteSlice
  private var position: Int
  private let keepsHexEscapes: Bool

  /// - Parameters:
  ///   - position: the offset in the line of the first pair to read.
  ///   - keepsHexEscapes: whether `\x` is kept; if not, it is an error in a quoted value.
  @inline(__always)
  init(_ line: ByteSlice, from position: Int = 0, keepsHexEscapes: Bool = true) {
    self.line = line
    self.position = position
    self.keepsHexEscapes = keepsHexEscapes
  }

  /// The column, from 1, of the current or last pair.
  private(set) var column = 0
  /// Whether a key without `=` was read, which people see as a word of text.
  private(set) var hasBareKey = false

  /// The next pair, or nil at the end of the line. A key without `=` has an empty value.
  @inline(__always)
  mutating func next(_ arena: inout Arena) throws(RecordProblem) -> (key: ByteSlice, value: ByteSlice)? {
    let end = line.count
    var p = position
    if line.peek(p) == 0x20 { p += 1 }
    while p < end, line[p] <= 0x20 { p += 1 }
    guard p < end else {
      position = p
      return nil
    }
    let keyStart = p
    column = p + 1
    let keyStop = line.endOfWord(from: p)
    p = keyStop.at
    var key = line.part(keyStart, p, isPlain: keyStop.isPlain)
    // Past the line's end it is 0, which is none of these.
    let stop = line.peek(p)
    if stop == 0x22 || stop == 0x3d && key.isEmpty { throw unexpected(p) }
    if !key.isPlain { key = try checkedKey(key, &arena) }
    guard stop == 0x3d else {
      hasBareKey = true
      position = p
      return (key, .empty)
    }
    p += 1
    guard line.peek(p) > 0x20 else {
      position = p
      return (key, .empty)
    }
    if line[p] == 0x22 { return (key, try quotedValue(p, &arena)) }
    let valueStop = line.endOfWord(from: p)
    if line.peek(valueStop.at) > 0x20 { throw unexpected(valueStop.at) }
    position = valueStop.at
    let value = line.part(p, valueStop.at, isPlain: valueStop.isPlain)
    return (key, value.isPlain ? value : doublingHexEscapes(value, &arena))
  }

  @inline(__always)
  private mutating func quotedValue(
    _ quote: Int, _ arena: inout Arena
  ) throws(RecordProblem) -> ByteSlice {
    let stop = line.quoteOrEscape(from: quote + 1)
    if line.peek(stop.at) == 0x22 {
      position = stop.at + 1
      return line.part(quote + 1, stop.at, isPlain: stop.isPlain)
    }
    if stop.at == line.count { throw RecordProblem(column: quote + 1, "unterminated quoted value") }
    return try unescape(quote, firstEscape: stop.at, &arena)
  }

  /// The value of a quoted text with escapes. Bytes that are not UTF-8 become U+FFFD.
  private mutating func unescape(
    _ quote: Int, firstEscape: Int, _ arena: inout Arena
  ) throws(RecordProblem) -> ByteSlice {
    // No escape becomes longer, except that a lone byte becomes three bytes.
    let close = try closingQuote(quote, from: firstEscape)
    let content = line.part(quote + 1, close, isPlain: false)
    let rule: EscapeRule = keepsHexEscapes ? .logfmtKeepingHex : .logfmt
    do throws(EscapeProblem) {
      let value = try Unescaper.unescape(content, rule: rule, into: &arena)
      position = close + 1
      return value
    } catch {
      throw RecordProblem(column: quote + 1 + 1 + error.offset, "invalid quoted value: \(error.reason)")
    }
  }

  private func closingQuote(
    _ quote: Int, from firstEscape: Int
  ) throws(RecordProblem) -> Int {
    let close = line.closingQuote(from: firstEscape)
    if close < line.count { return close }
    throw RecordProblem(column: quote + 1, "unterminated quoted value")
  }

  private func checkedKey(_ key: ByteSlice, _ arena: inout Arena) throws(RecordProblem) -> ByteSlice {
    var index = 0
    while index < key.count {
      let (scalar, length) = UTF8Scalar.decode(key, at: index)
      if scalar == nil || scalar?.value == 0xfffd {
        throw RecordProblem(column: column, "invalid key: it is not UTF-8")
      }
      index += length
    }
    return doublingHexEscapes(key, &arena)
  }

  /// Outside quotes a backslash is literal; the Go tool nevertheless doubled that of `\x`.
  private func doublingHexEscapes(_ text: ByteSlice, _ arena: inout Arena) -> ByteSlice {
    guard keepsHexEscapes, text.range(of: "\\x") != nil else { return text }
    var doubled: [UInt8] = []
    for index in 0..<text.count {
      doubled.append(text[index])
      if text[index] == UInt8(ascii: "\\"), index + 1 < text.count, text[index + 1] == UInt8(ascii: "x") {
        doubled.append(UInt8(ascii: "\\"))
      }
    }
    return arena.copy(doubled)
  }

  private func unexpected(_ p: Int) -> RecordProblem {
    RecordProblem(column: p + 1, "unexpected \"\(Character(Unicode.Scalar(line[p])))\"")
  }
}
