import Bytes
import Glibc

/// Decodes one line of logfmt into pairs of key and value, by the rules of Go's `go-logfmt`, the decoder that the
/// runtime's logs have always been read with (https://pkg.go.dev/github.com/go-logfmt/logfmt).
///
/// `\x` is kept as the two characters it is: the runtime logs C-style escapes that are none of logfmt's.
struct LogfmtDecoder {
  private let start: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private var position: UnsafePointer<UInt8>
  private let keepsHexEscapes: Bool

  /// - Parameters:
  ///   - position: where in the line the first pair to be read begins.
  ///   - keepsHexEscapes: whether `\x` stands for itself; when false it is an error in a quoted value.
  @inline(__always)
  init(_ line: ByteSlice, from position: UnsafePointer<UInt8>, keepsHexEscapes: Bool = true) {
    start = line.base
    end = line.end
    self.position = position
    self.keepsHexEscapes = keepsHexEscapes
  }

  /// The column, from 1, of the pair that was read last or is being read.
  private(set) var column = 0

  @inline(__always)
  private func columnOf(_ p: UnsafePointer<UInt8>) -> Int { p - start + 1 }

  /// The next pair, or nil at the end of the line. A key without `=` has an empty value.
  @inline(__always)
  mutating func next(_ arena: inout Arena) throws(RecordProblem) -> (key: ByteSlice, value: ByteSlice)? {
    var p = position
    if p < end, p.pointee == 0x20 { p += 1 }
    while p < end, p.pointee <= 0x20 { p += 1 }
    guard p < end else {
      position = p
      return nil
    }
    let keyStart = p
    column = columnOf(p)
    let keyStop = ByteScanner.endOfWord(p, end)
    p = keyStop.at
    var key = ByteSlice(base: keyStart, count: p - keyStart, isPlain: keyStop.isPlain)
    if p < end {
      if p.pointee == 0x22 { throw unexpected(p) }
      if p.pointee == 0x3d, key.isEmpty { throw unexpected(p) }
    }
    if !key.isPlain { key = try checkedKey(key, &arena) }
    guard p < end, p.pointee == 0x3d else {
      position = p
      return (key, .empty)
    }
    p += 1
    guard p < end, p.pointee > 0x20 else {
      position = p
      return (key, .empty)
    }
    if p.pointee == 0x22 { return (key, try quotedValue(p, &arena)) }
    let valueStop = ByteScanner.endOfWord(p, end)
    if valueStop.at < end, valueStop.at.pointee > 0x20 { throw unexpected(valueStop.at) }
    position = valueStop.at
    let value = ByteSlice(base: p, count: valueStop.at - p, isPlain: valueStop.isPlain)
    return (key, value.isPlain ? value : doublingHexEscapes(value, &arena))
  }

  @inline(__always)
  private mutating func quotedValue(
    _ quote: UnsafePointer<UInt8>, _ arena: inout Arena
  ) throws(RecordProblem) -> ByteSlice {
    let stop = ByteScanner.quoteOrEscape(quote + 1, end)
    if stop.at < end, stop.at.pointee == 0x22 {
      position = stop.at + 1
      return ByteSlice(base: quote + 1, count: stop.at - quote - 1, isPlain: stop.isPlain)
    }
    if stop.at == end { throw RecordProblem(column: columnOf(quote), "unterminated quoted value") }
    return try unescape(quote, firstEscape: stop.at, &arena)
  }

  /// The value of a quoted text with escapes. What is not UTF-8 becomes U+FFFD.
  private mutating func unescape(
    _ quote: UnsafePointer<UInt8>, firstEscape: UnsafePointer<UInt8>, _ arena: inout Arena
  ) throws(RecordProblem) -> ByteSlice {
    // No escape stands for more bytes than it is long, but for a lone byte that becomes three.
    let close = try closingQuote(quote, from: firstEscape)
    let content = ByteSlice(base: quote + 1, count: close - quote - 1, isPlain: false)
    let rule: EscapeRule = keepsHexEscapes ? .logfmtKeepingHex : .logfmt
    do throws(EscapeProblem) {
      let value = try Unescaper.unescape(content, rule: rule, into: &arena)
      position = close + 1
      return value
    } catch {
      throw RecordProblem(column: columnOf(quote) + 1 + error.offset, "invalid quoted value: \(error.reason)")
    }
  }

  private func closingQuote(
    _ quote: UnsafePointer<UInt8>, from firstEscape: UnsafePointer<UInt8>
  ) throws(RecordProblem) -> UnsafePointer<UInt8> {
    let close = ByteScanner.closingQuote(firstEscape, end)
    if close < end { return close }
    throw RecordProblem(column: columnOf(quote), "unterminated quoted value")
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

  /// Outside quotes a backslash is itself; the tool that this one replaces doubled that of `\x` all the same.
  private func doublingHexEscapes(_ text: ByteSlice, _ arena: inout Arena) -> ByteSlice {
    guard keepsHexEscapes, text.range(of: "\\x") != nil else { return text }
    let out = arena.reserve(text.count * 2)
    var count = 0
    for index in 0..<text.count {
      out[count] = text[index]
      count += 1
      if text[index] == 0x5c, index + 1 < text.count, text[index + 1] == 0x78 {
        out[count] = 0x5c
        count += 1
      }
    }
    return arena.commit(count)
  }

  private func unexpected(_ p: UnsafePointer<UInt8>) -> RecordProblem {
    RecordProblem(column: columnOf(p), "unexpected \"\(Character(Unicode.Scalar(p.pointee)))\"")
  }
}
