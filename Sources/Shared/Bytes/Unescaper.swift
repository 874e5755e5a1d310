/// The escapes that a quoted text may contain.
public enum EscapeRule: Sendable {
  /// JSON's (https://www.rfc-editor.org/rfc/rfc8259#section-7).
  case json
  /// JSON's and `\'`: Go's logfmt decoder.
  case logfmt
  /// As `logfmt`, but `\x` is kept unchanged.
  case logfmtKeepingHex
  /// Rust's `Debug` of a string: `\'`, `\0` and `\u{1b}`.
  case rust
}

/// An escape that the rule does not allow.
public struct EscapeProblem: Error {
  /// Where the escape begins, in bytes from the start of the text.
  public var offset: Int
  public var reason: String
}

/// Decodes the inside of a quoted text.
///
/// `JSONScanner` of the spans' JSON has an unescaper of its own: there a text that is not UTF-8 and a lone surrogate
/// are refused, as a span must come back as it was sent, and the bytes are appended to an array that has no padding.
/// Here they are replaced, as a damaged log line is still worth reading. What letters and digits mean is shared:
/// ``JSONEscape`` and ``HexDigit``.
public enum Unescaper {
  /// Unescapes `text` into the arena. Control characters are refused, as Go's decoders refuse them; a lone surrogate
  /// and what is not UTF-8 become U+FFFD.
  public static func unescape(
    _ text: ByteSlice, rule: EscapeRule, into arena: inout Arena
  ) throws(EscapeProblem) -> ByteSlice {
    // An input byte yields at most three: one that is not UTF-8 becomes U+FFFD. Sixteen bytes are copied at once, into
    // the room's padding at the end; what was copied too far is written over.
    let out = arena.reserve(text.count * 3)
    var count = 0
    var p = text.base
    let end = text.end
    while p < end {
      let v = ByteScanner.load(p)
      UnsafeMutableRawPointer(out + count).storeBytes(of: v, as: SIMD16<UInt8>.self)
      let run = ByteScanner.firstLane(
        ByteScanner.notASCIIText(v)
          .| ((v .== ByteScanner.Lanes(repeating: 0x22)) .| (v .== ByteScanner.Lanes(repeating: 0x5c))))
      count &+= run
      p += run
      if run == 16 { continue }
      if p >= end { break }
      // Most escapes are those of quotes. The byte after the text may be read: it is padding, or the closing quote.
      if p.pointee == 0x5c, p[1] == 0x22, p + 1 < end {
        out[count] = 0x22
        count &+= 1
        p += 2
        continue
      }
      if p.pointee == 0x22 { throw EscapeProblem(offset: p - text.base, reason: "a quote inside") }
      if p.pointee == 0x5c {
        p += try unescapeOne(p, end, offset: p - text.base, rule, to: out, &count)
        continue
      }
      let rest = ByteScanner.quoteOrEscape(p, end).at
      count += try copyChecked(
        ByteSlice(base: p, count: rest - p, isPlain: false), at: p - text.base, to: out + count)
      p = rest
    }
    // What was found after the end was copied, and does not count.
    return arena.commit(count &- max(0, p - end))
  }

  private static func copyChecked(
    _ text: ByteSlice, at start: Int, to out: UnsafeMutablePointer<UInt8>
  ) throws(EscapeProblem) -> Int {
    var count = 0
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte < 0x80 {
        if byte < 0x20 { throw EscapeProblem(offset: start + index, reason: "a control character inside") }
        out[count] = byte
        count += 1
        index += 1
        continue
      }
      let (scalar, length) = UTF8Scalar.decode(text, at: index)
      if scalar == nil {
        count += UTF8Scalar.encode(0xfffd, to: out + count)
      } else {
        for offset in 0..<length { out[count + offset] = text[index + offset] }
        count += length
      }
      index += length
    }
    return count
  }

  /// Unescapes the escape at `p` and returns its length in the text.
  private static func unescapeOne(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, offset: Int, _ rule: EscapeRule,
    to out: UnsafeMutablePointer<UInt8>, _ count: inout Int
  ) throws(EscapeProblem) -> Int {
    guard p + 1 < end else { throw EscapeProblem(offset: offset, reason: "an unfinished escape") }
    let kind = p[1]
    let byte: UInt8
    switch kind {
    case 0x22: byte = 0x22
    case 0x5c:
      // The Go tool turned `\\x` into the illegal escape `\\\x`.
      if rule == .logfmtKeepingHex, p + 2 < end, p[2] == 0x78 {
        throw EscapeProblem(offset: offset, reason: "\\x after an escaped backslash")
      }
      byte = 0x5c
    case 0x27 where rule != .json: byte = 0x27
    case 0x30 where rule == .rust: byte = 0
    case 0x78 where rule == .logfmtKeepingHex:
      out[count] = 0x5c
      out[count + 1] = 0x78
      count += 2
      return 2
    case 0x75:
      return rule == .rust
        ? try unescapeRustUnicode(p, end, offset: offset, to: out, &count)
        : try unescapeUnicode(p, end, offset: offset, to: out, &count)
    default:
      // Rust's strings have none of JSON's other letters.
      if let letter = JSONEscape.byte(for: kind), rule != .rust || "ntr".utf8.contains(kind) {
        byte = letter
        break
      }
      throw EscapeProblem(
        offset: offset, reason: "the escape \\\(Character(Unicode.Scalar(kind))) is unknown")
    }
    out[count] = byte
    count += 1
    return 2
  }

  /// `\uXXXX`, and the second one of a surrogate pair.
  private static func unescapeUnicode(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, offset: Int,
    to out: UnsafeMutablePointer<UInt8>, _ count: inout Int
  ) throws(EscapeProblem) -> Int {
    guard let value = fourDigits(p, end) else {
      throw EscapeProblem(offset: offset, reason: "\\u needs four hexadecimal digits")
    }
    if (0xd800..<0xdc00).contains(value), p + 11 < end, p[6] == 0x5c, p[7] == 0x75,
      let low = fourDigits(p + 6, end), (0xdc00..<0xe000).contains(low)
    {
      count += UTF8Scalar.encode(0x1_0000 + (value - 0xd800) << 10 + (low - 0xdc00), to: out + count)
      return 12
    }
    count += UTF8Scalar.encode((0xd800..<0xe000).contains(value) ? 0xfffd : value, to: out + count)
    return 6
  }

  private static func fourDigits(_ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt32? {
    end - p >= 6 ? HexDigit.four(UnsafeRawBufferPointer(start: p + 2, count: 4)) : nil
  }

  /// `\u{…}` with one to six digits.
  private static func unescapeRustUnicode(
    _ p: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, offset: Int,
    to out: UnsafeMutablePointer<UInt8>, _ count: inout Int
  ) throws(EscapeProblem) -> Int {
    var value: UInt32 = 0
    var q = p + 3
    while q < end, q - p < 9, let digit = HexDigit.value(q.pointee) {
      value = value << 4 | digit
      q += 1
    }
    guard p + 2 < end, p[2] == 0x7b, q > p + 3, q < end, q.pointee == 0x7d, Unicode.Scalar(value) != nil
    else { throw EscapeProblem(offset: offset, reason: "\\u needs a character's number in braces") }
    count += UTF8Scalar.encode(value, to: out + count)
    return q - p + 1
  }
}
