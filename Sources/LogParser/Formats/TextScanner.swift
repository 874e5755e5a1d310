import Bytes

/// Walks over the beginning of a line: for the prefixes that loggers put before a record.
///
/// Every step either takes what it was asked for or fails and leaves the place as it was.
struct TextScanner {
  let text: ByteSlice
  private(set) var index = 0

  init(_ text: ByteSlice) { self.text = text }

  var rest: ByteSlice { text.dropFirst(index) }
  var isAtEnd: Bool { index >= text.count }
  var next: UInt8? { index < text.count ? text[index] : nil }

  /// Takes one given byte.
  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  mutating func take(_ word: StaticString) -> Bool {
    guard rest.hasPrefix(word) else { return false }
    index += word.utf8CodeUnitCount
    return true
  }

  /// Passes over `count` bytes, or what is left.
  mutating func skip(_ count: Int) { index = min(index + max(0, count), text.count) }

  mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || byte == 0x09 { index += 1 }
  }

  /// Takes between `minimum` and `maximum` digits as a number; `maximum` is at most 18.
  mutating func number(_ minimum: Int, _ maximum: Int) -> Int? {
    var value = 0
    var end = index
    while end < index + maximum, text.peek(end).isDigit {
      value = value * 10 + Int(text.peek(end) - 0x30)
      end += 1
    }
    guard end - index >= minimum else { return nil }
    index = end
    return value
  }

  /// Takes a fraction of a second: a full stop or comma and one to nine digits (more are dropped); 0 without one.
  mutating func fraction() -> UInt32 {
    let mark = text.peek(index)
    guard mark == 0x2e || mark == 0x2c, text.peek(index + 1).isDigit else { return 0 }
    let start = index + 1
    var end = start
    var value: UInt32 = 0
    while end < start + 9, text.peek(end).isDigit {
      value = value * 10 + UInt32(text.peek(end) - 0x30)
      end += 1
    }
    for _ in (end - start)..<9 { value *= 10 }
    while text.peek(end).isDigit { end += 1 }
    index = end
    return value
  }

  /// Takes what stands before the next blank; nil when that is nothing.
  mutating func word() -> ByteSlice? {
    let start = index
    while let byte = next, byte > 0x20 { index += 1 }
    return index > start ? text.slice(start, index) : nil
  }

  /// Takes an English name of three letters out of `names`, which holds them one behind the other, and gives its
  /// place in the list, from 0.
  mutating func shortName(_ names: StaticString) -> Int? {
    guard index + 3 <= text.count else { return nil }
    let count = names.utf8CodeUnitCount / 3
    for position in 0..<count {
      let name = names.utf8Start + position * 3
      if text[index] == name[0], text[index + 1] == name[1], text[index + 2] == name[2] {
        index += 3
        return position
      }
    }
    return nil
  }

  /// A name of three letters that was taken, and its place in its list.
  struct ShortName {
    fileprivate var word = UInt64.max
    fileprivate var position = 0
  }

  /// Takes a month's English name and gives its number, from 1.
  ///
  /// - Parameter last: the one that was taken last, which is compared first.
  mutating func month(_ last: inout ShortName) -> Int? {
    guard index + 3 <= text.count else { return nil }
    let word = rest.leadingWord & 0xff_ffff
    if word != last.word {
      guard let position = shortName(Self.months) else { return nil }
      last = ShortName(word: word, position: position)
    } else {
      index += 3
    }
    return last.position + 1
  }

  static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
  static let weekdays: StaticString = "MonTueWedThuFriSatSun"
}
