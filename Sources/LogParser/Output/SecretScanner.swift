import Bytes

/// Finds the secrets in a text: values whose name says so, environment variables, credentials in URLs and headers, and
/// tokens with a recognisable form. The rules are in `formats/redaction`.
///
/// The text is read once. Every look ahead either consumes what it saw or is bounded, so the work is linear in the
/// length of any text, and only the ranges found are kept.
struct SecretScanner {
  /// The text that replaces a secret.
  static let mark: StaticString = "[redacted]"
  /// The longest name, and the longest user and password of a URL or list without quotes.
  static let nameLimit = 64
  static let authorityLimit = 512

  let text: ByteSlice
  /// The ranges to replace, in order and without overlap.
  private(set) var ranges: [Range<Int>]
  var index = 0
  /// A position before which no URL's authority can begin, because there is something that ends it.
  private var authorityEnd = 0

  /// - Parameter ranges: an array whose memory is reused.
  init(_ text: ByteSlice, reusing ranges: consuming [Range<Int>] = []) {
    self.text = text
    ranges.removeAll(keepingCapacity: true)
    self.ranges = ranges
  }

  /// Looks through the text from ``index`` on.
  mutating func scan() {
    while index < text.count {
      index = text.firstSecretSign(from: index)
      switch text.peek(index) {
      case UInt8(ascii: "="), UInt8(ascii: ":"): lookAtSign()
      case UInt8(ascii: "-"): lookAtDashes()
      case UInt8(ascii: "B"), UInt8(ascii: "b"): lookAtScheme()
      case UInt8(ascii: "e"), UInt8(ascii: "A"), UInt8(ascii: "g"), UInt8(ascii: "x"), UInt8(ascii: "h"):
        lookAtToken()
      default: index += 1
      }
    }
  }

  /// Notes a secret, unless it is empty or was replaced before, and continues after it.
  mutating func take(_ start: Int, _ end: Int) {
    let end = min(end, text.count)
    if start < end, text.slice(start, end) != Self.mark { ranges.append(start..<end) }
    index = max(index + 1, end)
  }

  private mutating func lookAtSign() {
    if text[index] == UInt8(ascii: ":"), text.peek(index + 1) == UInt8(ascii: "/"),
      text.peek(index + 2) == UInt8(ascii: "/")
    {
      return lookAtURL()
    }
    guard let name = name(before: index), let kind = SecretName(name) else {
      index += 1
      return
    }
    takeValue(of: kind)
  }

  /// The name that ends before a sign, possibly with quotes and a blank in between; nil if it cannot be a relevant one.
  @inline(__always)
  private func name(before sign: Int) -> ByteSlice? {
    var end = sign
    if end > 0, text[end - 1] == UInt8(ascii: " ") { end -= 1 }
    while end > 0, sign - end < 10,
      text[end - 1] == UInt8(ascii: "\"") || text[end - 1] == UInt8(ascii: "\\")
        || text[end - 1] == UInt8(ascii: "'")
    {
      end -= 1
    }
    guard end > 0, SecretName.mayEnd(with: text[end - 1]) else { return nil }
    var start = end
    while start > 0, end - start < Self.nameLimit, Self.isNameByte(text[start - 1]) { start -= 1 }
    return text.slice(start, end)
  }

  @inline(__always)
  static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isLetter || byte.isDigit || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: ".")
  }

  // MARK: URLs

  /// `scheme://user:password@host`: the password, or a user so long that it must be a token.
  private mutating func lookAtURL() {
    let start = index + 3
    index = start
    guard start >= authorityEnd else { return }
    var colon = -1
    var place = start
    // A slash ends the authority, unless an unescaped password contains it: then no port follows the colon.
    var isPort = true
    while place < text.count, place - start < Self.authorityLimit {
      let byte = text[place]
      if byte == UInt8(ascii: "@") { return takeUser(start, colon, place) }
      if byte == UInt8(ascii: ":") {
        if colon < 0 { colon = place }
      } else if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") {
        if colon < 0 || isPort { break }
      } else if Self.endsAuthority(byte) {
        break
      } else if colon >= 0, !byte.isDigit {
        isPort = false
      }
      place += 1
    }
    authorityEnd = place
  }

  private mutating func takeUser(_ start: Int, _ colon: Int, _ at: Int) {
    // The last sign counts, because a password may contain one.
    var end = at
    var place = at + 1
    while place < text.count, place - start < Self.authorityLimit, !Self.endsAuthority(text[place]),
      text[place] != UInt8(ascii: "/")
    {
      if text[place] == UInt8(ascii: "@") { end = place }
      place += 1
    }
    index = end
    if colon >= 0 {
      take(colon + 1, end)
    } else if end - start >= 20 {
      take(start, end)
    }
  }

  private static func endsAuthority(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\")
      || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "`")
  }

  // MARK: Tokens

  /// Whether a word begins here.
  @inline(__always)
  private var isWordStart: Bool {
    guard index > 0 else { return true }
    let before = text[index - 1]
    return !before.isLetter && !before.isDigit && before != UInt8(ascii: "_")
  }

  /// The end of the letters, digits and signs of Base64 and of tokens from `start` on.
  func tokenEnd(from start: Int) -> Int {
    var place = start
    while place < text.count {
      let byte = text[place]
      let isSign =
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        || byte == UInt8(ascii: "~") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
        || byte == UInt8(ascii: "=")
      guard isSign || byte.isLetter || byte.isDigit else { break }
      place += 1
    }
    return place
  }

  /// `Bearer TOKEN` and `Basic CREDENTIALS`, anywhere.
  private mutating func lookAtScheme() {
    guard isWordStart, let length = schemeLength(at: index) else {
      index += 1
      return
    }
    var start = index + length
    while start < text.count, text[start] == UInt8(ascii: " ") { start += 1 }
    let end = tokenEnd(from: start)
    index += length
    if end - start >= 8, start > index, looksRandom(start, end) { take(start, end) }
  }

  /// The length of the name of an authorization scheme at `place`.
  func schemeLength(at place: Int) -> Int? {
    let rest = text.dropFirst(place)
    if rest.hasPrefix("Bearer ") || rest.hasPrefix("bearer ") || rest.hasPrefix("BEARER ") { return 6 }
    if rest.hasPrefix("Basic ") || rest.hasPrefix("basic ") || rest.hasPrefix("BASIC ") { return 5 }
    return nil
  }

  /// Whether a word is not a plain word: it has digits, signs, or capitals after its first letter.
  func looksRandom(_ start: Int, _ end: Int) -> Bool {
    var place = start
    while place < end {
      let byte = text[place]
      if byte.isDigit || place > start && byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
        || byte == UInt8(ascii: "=")
      {
        return true
      }
      place += 1
    }
    return false
  }

  /// Tokens that their first letters identify.
  private mutating func lookAtToken() {
    guard isWordStart, let least = Self.tokenLength(text.dropFirst(index)) else {
      index += 1
      return
    }
    let end = tokenEnd(from: index)
    if end - index >= least { take(index, end) } else { index = max(index + 1, end) }
  }

  /// The least length of the token that a text may begin with; nil for most texts.
  private static func tokenLength(_ rest: ByteSlice) -> Int? {
    switch rest.peek(0) {
    // The head of a JSON Web Token: `{"` in Base64.
    case UInt8(ascii: "e"): rest.hasPrefix("eyJ") && rest.prefix(512).contains(UInt8(ascii: ".")) ? 24 : nil
    case UInt8(ascii: "A"): rest.hasPrefix("AKIA") || rest.hasPrefix("ASIA") ? 20 : nil
    case UInt8(ascii: "g"):
      rest.hasPrefix("ghp_") || rest.hasPrefix("gho_") || rest.hasPrefix("ghu_") || rest.hasPrefix("ghs_")
        || rest.hasPrefix("ghr_") || rest.hasPrefix("github_pat_") || rest.hasPrefix("glpat-") ? 20 : nil
    case UInt8(ascii: "x"): rest.hasPrefix("xox") && rest.peek(4) == UInt8(ascii: "-") ? 16 : nil
    case UInt8(ascii: "h"): rest.hasPrefix("hvs.") ? 20 : nil
    default: nil
    }
  }

  // MARK: Keys and options

  /// A private key in PEM, or an option with its value after a blank: `--password VALUE`.
  private mutating func lookAtDashes() {
    let rest = text.dropFirst(index)
    if rest.hasPrefix("-----BEGIN ") { return lookAtKey() }
    guard rest.hasPrefix("--"), isWordStart || index == 0, rest.peek(2).isLetter else {
      index += 1
      return
    }
    let start = index + 2
    var end = start
    while end < text.count, end - start < Self.nameLimit, Self.isNameByte(text[end]) { end += 1 }
    index = end
    guard end > start, let kind = SecretName(text.slice(start, end)) else { return }
    guard kind != .environment else {
      // `--env A=b` and `--env=A=b`.
      guard text.peek(end) == UInt8(ascii: "=") || text.peek(end) == UInt8(ascii: " ") else { return }
      index = end + 1
      return takeEnvironment()
    }
    takeOption()
  }

  /// The value after an option's name: the next word, or the next text in a list of texts.
  private mutating func takeOption() {
    let depth = backslashes(at: index)
    let isQuoted = text.peek(index + depth) == UInt8(ascii: "\"")
    var start = isQuoted ? index + depth + 1 : index
    if isQuoted, text.peek(start) == UInt8(ascii: ",") { start += 1 }
    guard text.peek(start) == UInt8(ascii: " ") || start > index && isQuoted else { return }
    while text.peek(start) == UInt8(ascii: " ") { start += 1 }
    if isQuoted {
      guard text.hasQuote(at: start, after: depth) else { return }
      start += depth + 1
      return take(start, closingQuote(from: start, depth))
    }
    guard text.peek(start) != UInt8(ascii: "-") else { return }
    take(start, wordEnd(from: start))
  }

  private mutating func lookAtKey() {
    let start = index
    let head = text.slice(start, start + 64)
    guard let label = head.range(of: "PRIVATE KEY-----") else {
      index += 5
      return
    }
    let from = start + label
    if let end = text.range(of: "-----END ", from: from) {
      let tail = text.range(of: "KEY-----", from: end).map { $0 + 8 }
      return take(start, tail ?? text.count)
    }
    take(start, text.count)
  }
}

extension ByteSlice {
  /// Whether this many backslashes and a quote are at a position.
  func hasQuote(at place: Int, after backslashes: Int) -> Bool {
    for offset in 0..<backslashes where peek(place + offset) != UInt8(ascii: "\\") { return false }
    return peek(place + backslashes) == UInt8(ascii: "\"")
  }
}
