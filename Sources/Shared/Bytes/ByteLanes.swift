/// Tests eight bytes at once, as the lanes of a word.
///
/// A test returns a word whose lowest set bit is the highest one of the first lane that passes; later lanes may be
/// wrong, because carries run upwards, so only the first counts.
///
/// It exists in addition to ``ByteScanner``, whose loads of sixteen bytes may reach past a text's end and need padded
/// memory: the log parser's buffers are padded, a frame or a request's body is not. This one never reads past the end;
/// the last few bytes are tested one by one.
public enum ByteLanes {
  @usableFromInline internal static let ones: UInt64 = 0x0101_0101_0101_0101
  @usableFromInline internal static let highs: UInt64 = 0x8080_8080_8080_8080

  /// Lanes that a JSON string must escape: quote, backslash, and controls.
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
  /// The index of the first byte at or after `start` that a JSON string cannot hold as it is; `count` if there is none.
  @inlinable @inline(__always)
  public func firstSpecial(from start: Int) -> Int {
    precondition(start >= 0, "index out of range")
    var index = start
    // The bound of the load is checked before it.
    while count - index >= 8 {
      let word = loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
      let special = ByteLanes.special(word)
      if special != 0 { return index &+ ByteLanes.first(special) }
      index &+= 8
    }
    while index < count {
      let byte = self[index]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return index }
      index &+= 1
    }
    return count
  }
}
