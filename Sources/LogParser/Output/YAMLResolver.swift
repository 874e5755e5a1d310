import Bytes
import Glibc

/// Whether an unquoted YAML scalar would be read as something other than a string.
///
/// It combines two sets of rules: those of Go's `yaml.v2`, whose quoting users' files already have, and those of YAML
/// 1.1 (https://yaml.org/type/) as applied by PyYAML and users of libyaml.
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

  /// Whether `text` is `word` in lower case, capitalised, or in upper case.
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

  /// `.5`, `.5e3`, also with `_` between the digits as in YAML 1.1.
  private static func isDotFloat(_ text: ByteSlice) -> Bool {
    GoNumber.isFloat(text) || YAML11Number.isFloat(text)
  }

  private static func isNumberOrTime(_ text: ByteSlice) -> Bool {
    // Nearly all texts that begin with a digit (identifiers, dates followed by text) are ruled out here.
    for byte in text.bytes {
      switch byte {
      case 0x30...0x39, 0x2b...0x2e, 0x3a, 0x5f, 0x20, 0x09: continue
      case 0x61...0x66, 0x41...0x46, 0x78, 0x58, 0x6f, 0x4f, 0x54, 0x74, 0x5a: continue
      default: return false
      }
    }
    if YAMLTimestamp.matches(text) { return true }
    if text.contains(0x3a) { return YAML11Number.isSexagesimal(text) }
    return GoNumber.matches(text) || YAML11Number.isInteger(text) || YAML11Number.isFloat(text)
  }
}

/// Numbers by the rules of Go's `yaml.v2`, which first removes all underscores.
private enum GoNumber {
  static func matches(_ text: ByteSlice) -> Bool {
    guard text.contains(0x5f) else { return isPrefixedInteger(text) || isFloat(text) }
    return ByteSlice.withCopy(of: text.bytes.filter { $0 != 0x5f }) { isPrefixedInteger($0) || isFloat($0) }
  }

  /// `0x1f`, `0o17` and `0b101` within 64 bits, and binary ones with the sign after the prefix.
  private static func isPrefixedInteger(_ text: ByteSlice) -> Bool {
    var scan = NumberScan(text)
    let isNegative = scan.take(0x2d)
    var isSigned = isNegative || scan.take(0x2b)
    guard scan.take(0x30) else { return false }
    let shift: UInt64
    switch scan.rest.bytes.first {
    case 0x78, 0x58: shift = 4
    case 0x6f, 0x4f: shift = 3
    case 0x62, 0x42: shift = 1
    default: return false
    }
    let isLowerBinary = scan.take(0x62)
    if !isLowerBinary { scan.skip(1) }
    var isBelowZero = isNegative
    if isLowerBinary, !isSigned, let sign = scan.rest.bytes.first, sign == 0x2b || sign == 0x2d {
      isSigned = true
      isBelowZero = sign == 0x2d
      scan.skip(1)
    }
    guard !scan.isAtEnd else { return false }
    var value: UInt64 = 0
    for byte in scan.rest.bytes {
      guard let digit = HexDigit.value(byte), digit >> UInt32(shift) == 0, value >> (64 - shift) == 0
      else {
        return false
      }
      value = value << shift | UInt64(digit)
    }
    return !isSigned || value <= UInt64(Int64.max) + (isBelowZero ? 1 : 0)
  }

  /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?` of a finite number: others stay strings.
  static func isFloat(_ text: ByteSlice) -> Bool {
    var scan = NumberScan(text)
    _ = scan.take(0x2d) || scan.take(0x2b)
    let whole = scan.digits()
    if scan.take(0x2e) {
      if scan.digits() == 0, whole == 0 { return false }
    } else if whole == 0 {
      return false
    }
    if scan.take(0x65) || scan.take(0x45) {
      _ = scan.take(0x2d) || scan.take(0x2b)
      guard scan.digits() > 0 else { return false }
    } else if text.count < 300 {
      return scan.isAtEnd
    }
    return scan.isAtEnd && strtod(text.string, nil).isFinite
  }
}

/// Numbers by the rules of YAML 1.1 as in PyYAML: underscores are allowed between the digits.
private enum YAML11Number {
  static func isInteger(_ text: ByteSlice) -> Bool {
    var scan = NumberScan(text)
    _ = scan.take(0x2d) || scan.take(0x2b)
    guard scan.take(0x30) else { return scan.underscoredDigits() && scan.isAtEnd }
    if scan.isAtEnd { return true }
    let isBinary = scan.take(0x62)
    let isHexadecimal = !isBinary && scan.take(0x78)
    let highest: UInt32 = isBinary ? 1 : isHexadecimal ? 15 : 7
    guard !scan.isAtEnd else { return false }
    return scan.rest.bytes.allSatisfy { byte in
      byte == 0x5f || HexDigit.value(byte).map { $0 <= highest } ?? false
    }
  }

  static func isFloat(_ text: ByteSlice) -> Bool {
    var scan = NumberScan(text)
    if scan.take(0x2e) {
      guard scan.underscoredDigits() else { return false }
    } else {
      _ = scan.take(0x2d) || scan.take(0x2b)
      guard scan.underscoredDigits(), scan.take(0x2e) else { return false }
      while scan.take(0x5f) || scan.digits() > 0 {}
    }
    guard scan.take(0x65) || scan.take(0x45) else { return scan.isAtEnd }
    guard scan.take(0x2d) || scan.take(0x2b) else { return false }
    return scan.digits() > 0 && scan.isAtEnd
  }

  /// `12:30:45`, `190:20:30.15`: base 60, which `yaml.v2` quotes as well.
  static func isSexagesimal(_ text: ByteSlice) -> Bool {
    var scan = NumberScan(text)
    _ = scan.take(0x2d) || scan.take(0x2b)
    guard scan.underscoredDigits() else { return false }
    var groups = 0
    while scan.take(0x3a) {
      let rest = scan.rest
      let count = scan.digits()
      guard count == 1 || (count == 2 && rest[0] < 0x36) else { return false }
      groups += 1
    }
    guard groups > 0 else { return false }
    if scan.take(0x2e) { while scan.take(0x5f) || scan.digits() > 0 {} }
    return scan.isAtEnd
  }
}

/// A scanner for numbers.
private struct NumberScan {
  private let text: ByteSlice
  private var index = 0

  init(_ text: ByteSlice) { self.text = text }

  var isAtEnd: Bool { index == text.count }
  var rest: ByteSlice { text.dropFirst(index) }

  mutating func take(_ byte: UInt8) -> Bool {
    guard index < text.count, text[index] == byte else { return false }
    index += 1
    return true
  }

  mutating func skip(_ count: Int) { index = min(index + count, text.count) }

  /// Skips at most `limit` digits, and returns their number.
  mutating func digits(limit: Int = .max) -> Int {
    let start = index
    while index < text.count, index - start < limit, text[index].isDigit { index += 1 }
    return index - start
  }

  /// Skips digits and underscores; false if the first is not a digit.
  mutating func underscoredDigits() -> Bool {
    guard digits(limit: 1) == 1 else { return false }
    while take(0x5f) || digits() > 0 {}
    return true
  }

  mutating func blanks() -> Int {
    let start = index
    while index < text.count, text[index] == 0x20 || text[index] == 0x09 { index += 1 }
    return index - start
  }
}

/// Dates and times of YAML 1.1 (https://yaml.org/type/timestamp.html).
private enum YAMLTimestamp {
  static func matches(_ text: ByteSlice) -> Bool {
    guard text.count > 7, text[4] == 0x2d else { return false }
    return isGoTime(text) || isYAML11Time(text)
  }

  /// A valid time by the rules of `yaml.v2`: single digits are accepted, a time of day after a blank has no offset, one
  /// after a `T` must have one.
  private static func isGoTime(_ text: ByteSlice) -> Bool {
    var scan = NumberScan(text)
    guard let year = number(&scan, 4...4), scan.take(0x2d), let month = number(&scan, 1...2), scan.take(0x2d),
      let day = number(&scan, 1...2), (1...12).contains(month), day >= 1,
      day <= CivilDate.days(inMonth: month, of: year)
    else { return false }
    if scan.isAtEnd { return true }
    let hasOffset = scan.take(0x54) || scan.take(0x74)
    if !hasOffset {
      guard scan.take(0x20) else { return false }
      while scan.take(0x20) {}
    }
    guard let hour = number(&scan, 1...2), hour < 24, scan.take(0x3a), let minute = number(&scan, 1...2),
      minute < 60,
      scan.take(0x3a), let second = number(&scan, 1...2), second < 60
    else { return false }
    if let mark = scan.rest.bytes.first, mark == 0x2e || mark == 0x2c {
      scan.skip(1)
      guard scan.digits() > 0 else { return false }
    }
    if !hasOffset || scan.take(0x5a) { return scan.isAtEnd }
    guard scan.take(0x2b) || scan.take(0x2d), let hours = number(&scan, 2...2), hours <= 24, scan.take(0x3a),
      let minutes = number(&scan, 2...2), minutes <= 60
    else { return false }
    return scan.isAtEnd
  }

  /// Whether PyYAML reads the text as a time, including an impossible one, on which it fails.
  private static func isYAML11Time(_ text: ByteSlice) -> Bool {
    var scan = NumberScan(text)
    guard scan.digits(limit: 4) == 4, scan.take(0x2d) else { return false }
    let month = scan.digits(limit: 2)
    guard month > 0, scan.take(0x2d) else { return false }
    let day = scan.digits(limit: 2)
    guard day > 0 else { return false }
    if scan.isAtEnd { return month == 2 && day == 2 }
    guard scan.take(0x54) || scan.take(0x74) || scan.blanks() > 0, scan.digits(limit: 2) > 0, scan.take(0x3a),
      scan.digits(limit: 2) == 2, scan.take(0x3a), scan.digits(limit: 2) == 2
    else { return false }
    if scan.take(0x2e) { _ = scan.digits() }
    if scan.isAtEnd { return true }
    _ = scan.blanks()
    if scan.take(0x5a) { return scan.isAtEnd }
    guard scan.take(0x2b) || scan.take(0x2d), scan.digits(limit: 2) > 0 else { return false }
    if scan.take(0x3a) { guard scan.digits(limit: 2) == 2 else { return false } }
    return scan.isAtEnd
  }

  private static func number(_ scan: inout NumberScan, _ lengths: ClosedRange<Int>) -> Int? {
    let text = scan.rest
    let count = scan.digits(limit: lengths.upperBound)
    guard lengths.contains(count) else { return nil }
    return text.prefix(count).bytes.reduce(0) { $0 * 10 + Int($1) - 0x30 }
  }
}
