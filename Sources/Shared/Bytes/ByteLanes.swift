/// Eight bytes looked at at once, as the lanes of a word.
///
/// A test gives a word whose lowest set bit is the highest one of the first lane that passes; lanes behind that one may be
/// wrong, as carries run upwards, so only the first counts.
public enum ByteLanes {
  @usableFromInline internal static let ones: UInt64 = 0x0101_0101_0101_0101
  @usableFromInline internal static let highs: UInt64 = 0x8080_8080_8080_8080

  /// Lanes that a JSON string cannot have as they are: quote, backslash, and controls.
  @inlinable @inline(__always)
  public static func special(_ word: UInt64) -> UInt64 {
    let quotes = word ^ (ones &* 0x22)
    let slashes = word ^ (ones &* 0x5c)
    let isQuote = (quotes &- ones) & ~quotes
    let isSlash = (slashes &- ones) & ~slashes
    let isControl = (word &- ones &* 0x20) & ~word
    return (isQuote | isSlash | isControl) & highs
  }

  @inlinable @inline(__always)
  public static func isASCII(_ word: UInt64) -> Bool { word & highs == 0 }

  /// The number of the first lane of a test's result, which must not be zero.
  @inlinable @inline(__always)
  public static func first(_ result: UInt64) -> Int { result.trailingZeroBitCount >> 3 }
}

extension UnsafeRawBufferPointer {
  /// Whether the bytes are valid UTF-8, as table 3-7 of the Unicode Standard has it. Words of ASCII go at once.
  @inlinable public var isUTF8: Bool {
    var index = 0
    let end = count
    while index < end {
      if end &- index >= 8 {
        let word = loadUnaligned(fromByteOffset: index, as: UInt64.self)
        if ByteLanes.isASCII(word) {
          index &+= 8
          continue
        }
        index &+= (word & 0x8080_8080_8080_8080).littleEndian.trailingZeroBitCount >> 3
      }
      let byte = self[index]
      if byte < 0x80 {
        index &+= 1
        continue
      }
      let length = sequenceLength(byte, at: index)
      if length == 0 { return false }
      index &+= length
    }
    return true
  }

  /// Bytes of the sequence that begins with `first`; 0 when it is malformed or cut off.
  @inlinable @inline(__always)
  internal func sequenceLength(_ first: UInt8, at index: Int) -> Int {
    let left = count &- index
    switch first {
    case 0xc2...0xdf:
      return left >= 2 && isTail(index &+ 1) ? 2 : 0
    case 0xe0...0xef:
      guard left >= 3, isTail(index &+ 1), isTail(index &+ 2) else { return 0 }
      let second = self[index &+ 1]
      // No overlong forms, no surrogates.
      if first == 0xe0, second < 0xa0 { return 0 }
      if first == 0xed, second > 0x9f { return 0 }
      return 3
    case 0xf0...0xf4:
      guard left >= 4, isTail(index &+ 1), isTail(index &+ 2), isTail(index &+ 3) else { return 0 }
      let second = self[index &+ 1]
      if first == 0xf0, second < 0x90 { return 0 }
      if first == 0xf4, second > 0x8f { return 0 }
      return 4
    default: return 0
    }
  }

  @inlinable @inline(__always)
  internal func isTail(_ index: Int) -> Bool { self[index] & 0xc0 == 0x80 }
}
