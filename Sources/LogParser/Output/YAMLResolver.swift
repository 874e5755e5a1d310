import Glibc

/// Whether an unquoted YAML scalar would be read as something other than a string.
///
/// Two readers decide together: the rules of Go's `yaml.v2`, whose quoting the existing users' files have, and those of
/// YAML 1.1 (https://yaml.org/type/) as PyYAML and libyaml's users apply them.
enum YAMLResolver {
  /// Whether `text` must be quoted to stay a string.
  static func needsQuotes(_ text: ByteSlice) -> Bool {
    guard let first = text.bytes.first else { return true }
    switch first {
    case 0x79, 0x59, 0x6e, 0x4e, 0x74, 0x54, 0x66, 0x46, 0x6f, 0x4f, 0x7e:
      return text.count <= 5 && isNamedValue(text)
    case 0x2e: return isNamedNumber(text) || isDotFloat(text)
    case 0x2b, 0x2d, 0x30...0x39: return isNamedNumber(text) || isNumberOrTime(text)
    default: return false
    }
  }

  private static func isNamedValue(_ text: ByteSlice) -> Bool {
    switch text.count {
    case 1: text[0] != 0x6f && text[0] | 0x20 != 0x74 && text[0] | 0x20 != 0x66 && text[0] != 0x4f
    case 2: isAnyCase(text, "no") || isAnyCase(text, "on")
    case 3: isAnyCase(text, "yes") || isAnyCase(text, "off")
    case 4: isAnyCase(text, "true") || isAnyCase(text, "null")
    case 5: isAnyCase(text, "false")
    default: false
    }
  }

  /// Whether `text` is `word` in small letters, with a capital first, or in capitals.
  private static func isAnyCase(_ text: ByteSlice, _ word: StaticString) -> Bool {
    let count = word.utf8CodeUnitCount
    guard text.count == count else { return false }
    var capitals = 0
    for index in 0..<count {
      guard text[index] | 0x20 == word.utf8Start[index] else { return false }
      if text[index] & 0x20 == 0 { capitals += 1 }
    }
    return capitals == 0 || capitals == count || (capitals == 1 && text[0] & 0x20 == 0)
  }

  /// `.nan`, and `.inf` with or without a sign.
  private static func isNamedNumber(_ text: ByteSlice) -> Bool {
    var rest = text
    if let first = text.bytes.first, first == 0x2b || first == 0x2d { rest = text.dropFirst(1) }
    guard rest.count == 4, rest[0] == 0x2e else { return false }
    let name = rest.dropFirst(1)
    if isAnyCase(name, "inf") { return true }
    return rest.count == text.count && (isAnyCase(name, "nan") || name == "NaN")
  }

  /// `.5`, `.5e3`, and with `_` between the digits as YAML 1.1 has it.
  private static func isDotFloat(_ text: ByteSlice) -> Bool {
    guard text.count > 1, text[1] &- 0x30 < 10 else { return false }
    return isFloat(text) || isUnderscoredFloat(text)
  }

  private static func isNumberOrTime(_ text: ByteSlice) -> Bool {
    // Nearly all texts that begin with a digit (identifiers, dates with text behind them) fall out here.
    for byte in text.bytes {
      switch byte {
      case 0x30...0x39, 0x2b, 0x2d, 0x2e, 0x3a, 0x5f, 0x20, 0x09: continue
      case 0x61...0x66, 0x41...0x46, 0x78, 0x58, 0x6f, 0x4f, 0x54, 0x74, 0x5a: continue
      default: return false
      }
    }
    return YAMLTimestamp.matches(text) || isInteger(text) || isUnderscoredFloat(text) || isSexagesimal(text)
  }

  /// Any integer or float when its underscores are taken out.
  private static func isInteger(_ text: ByteSlice) -> Bool {
    var digits = text
    if text[0] == 0x2b || text[0] == 0x2d { digits = text.dropFirst(1) }
    guard let first = digits.bytes.first else { return false }
    if digits.count > 1, first == 0x30, isPrefixedInteger(digits) { return true }
    return first != 0x5f && isFloat(text)
  }

  /// `0x1f`, `0o17`, `0b101` (all with underscores).
  private static func isPrefixedInteger(_ text: ByteSlice) -> Bool {
    var index = 1
    while index < text.count, text[index] == 0x5f { index += 1 }
    guard index < text.count else { return false }
    let highest: UInt32
    let limit: Int
    switch text[index] | 0x20 {
    case 0x78: (highest, limit) = (15, 16)
    case 0x6f: (highest, limit) = (7, 22)
    case 0x62: (highest, limit) = (1, 64)
    default: return false
    }
    // YAML 1.1 has no bound: whoever reads it so would make a number of any length of digits, or fail on none.
    var digits = 0
    for byte in text.dropFirst(index + 1).bytes where byte != 0x5f {
      if digits == 0, limit == 64, byte == 0x2b || byte == 0x2d { continue }
      guard let digit = Unescaper.hexDigit(byte), digit <= highest else { return false }
      digits += 1
    }
    return limit != 22 || (digits > 0 && digits <= limit)
  }

  /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, underscores left out, of a finite number.
  private static func isFloat(_ text: ByteSlice) -> Bool {
    var cursor = Cursor(text)
    cursor.skipUnderscores()
    _ = cursor.take(0x2b, 0x2d)
    let whole = cursor.digits()
    if cursor.take(0x2e) {
      let fraction = cursor.digits()
      if whole == 0, fraction == 0 { return false }
    } else if whole == 0 {
      return false
    }
    if cursor.take(0x65, 0x45) {
      _ = cursor.take(0x2b, 0x2d)
      guard cursor.digits() > 0 else { return false }
      return cursor.isAtEnd && isFinite(text)
    }
    return cursor.isAtEnd
  }

  /// A number with an exponent that is out of range stays a string.
  private static func isFinite(_ text: ByteSlice) -> Bool {
    var plain: [CChar] = []
    plain.reserveCapacity(text.count + 1)
    for byte in text.bytes where byte != 0x5f { plain.append(CChar(bitPattern: byte)) }
    plain.append(0)
    return strtod(plain, nil).isFinite
  }

  /// PyYAML's float, which has `_` in more places.
  private static func isUnderscoredFloat(_ text: ByteSlice) -> Bool {
    text.contains(0x2e) && text.contains(0x5f) && isFloat(text)
  }

  /// `12:30:45`, `190:20:30.15`: base 60.
  private static func isSexagesimal(_ text: ByteSlice) -> Bool {
    guard text.contains(0x3a) else { return false }
    var index = text[0] == 0x2b || text[0] == 0x2d ? 1 : 0
    guard index < text.count, text[index] &- 0x30 < 10 else { return false }
    while index < text.count, text[index] &- 0x30 < 10 || text[index] == 0x5f { index += 1 }
    var groups = 0
    while index < text.count, text[index] == 0x3a {
      index += 1
      let start = index
      while index < text.count, index - start < 2, text[index] &- 0x30 < 10 { index += 1 }
      guard index > start, index - start == 1 || text[start] < 0x36 else { return false }
      groups += 1
    }
    guard groups > 0 else { return false }
    if index < text.count, text[index] == 0x2e {
      index += 1
      while index < text.count, text[index] &- 0x30 < 10 || text[index] == 0x5f { index += 1 }
    }
    return index == text.count
  }

  /// Walks over a number, passing over underscores.
  private struct Cursor {
    private let text: ByteSlice
    private var index = 0

    init(_ text: ByteSlice) { self.text = text }

    var isAtEnd: Bool { index == text.count }

    mutating func skipUnderscores() {
      while index < text.count, text[index] == 0x5f { index += 1 }
    }

    mutating func take(_ a: UInt8, _ b: UInt8 = 0) -> Bool {
      guard index < text.count, text[index] == a || (b != 0 && text[index] == b) else { return false }
      index += 1
      skipUnderscores()
      return true
    }

    mutating func digits() -> Int {
      var count = 0
      while index < text.count, text[index] &- 0x30 < 10 {
        count += 1
        index += 1
        skipUnderscores()
      }
      return count
    }
  }
}

/// Dates and times of YAML 1.1 (https://yaml.org/type/timestamp.html).
enum YAMLTimestamp {
  /// Whether some reader takes the text for a time: also one that no calendar has, which makes readers fail.
  static func matches(_ text: ByteSlice) -> Bool {
    guard text.count > 7, text[4] == 0x2d else { return false }
    var scan = Scan(text: text)
    guard scan.digits(4...4), scan.take(0x2d), scan.digits(1...2), scan.take(0x2d), scan.digits(1...2) else {
      return false
    }
    if scan.isAtEnd { return true }
    guard scan.take(0x54) || scan.take(0x74) || scan.blanks() > 0 else { return false }
    guard scan.digits(1...2), scan.take(0x3a), scan.digits(1...2), scan.take(0x3a), scan.digits(1...2) else {
      return false
    }
    if scan.take(0x2e) { _ = scan.digits(0...Int.max) }
    _ = scan.blanks()
    if scan.isAtEnd { return true }
    if scan.take(0x5a) { return scan.isAtEnd }
    guard scan.take(0x2b) || scan.take(0x2d), scan.digits(1...2) else { return false }
    if scan.take(0x3a) { guard scan.digits(2...2) else { return false } }
    return scan.isAtEnd
  }

  private struct Scan {
    let text: ByteSlice
    var index = 0

    var isAtEnd: Bool { index == text.count }

    mutating func digits(_ range: ClosedRange<Int>) -> Bool {
      let start = index
      while index < text.count, index - start < range.upperBound, text[index] &- 0x30 < 10 { index += 1 }
      return range.contains(index - start)
    }

    mutating func take(_ byte: UInt8) -> Bool {
      guard index < text.count, text[index] == byte else { return false }
      index += 1
      return true
    }

    mutating func blanks() -> Int {
      let start = index
      while index < text.count, text[index] == 0x20 || text[index] == 0x09 { index += 1 }
      return index - start
    }
  }
}
