import Glibc

/// Reads JSON as it comes, member by member, without building a tree: the caller knows what to expect.
///
/// It borrows the bytes, which must be UTF-8 (checked once, before); nesting is bounded wherever it is not the caller's.
struct JSONScanner {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0
  /// How deep values that are passed over may nest.
  private static let depthLimit = 64

  init(_ bytes: UnsafeRawBufferPointer) throws(DecodingError) {
    self.bytes = bytes
    guard bytes.isUTF8 else { throw DecodingError(.text, at: 0) }
  }

  func failure(_ reason: DecodingError.Reason = .syntax) -> DecodingError {
    DecodingError(position >= bytes.count && reason == .syntax ? .truncated : reason, at: position)
  }

  // MARK: Structure

  /// The next byte that is no space, which is not taken; 0 at the end.
  @inline(__always)
  mutating func peek() -> UInt8 {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
      position &+= 1
    }
    return 0
  }

  @inline(__always)
  mutating func expect(_ byte: UInt8) throws(DecodingError) {
    guard peek() == byte, position < bytes.count else { throw failure() }
    position &+= 1
  }

  /// Takes the byte if it is the next.
  @inline(__always)
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte, position < bytes.count else { return false }
    position &+= 1
    return true
  }

  mutating func takeNull() throws(DecodingError) -> Bool {
    guard peek() == 0x6e else { return false }
    try literal("null")
    return true
  }

  /// What follows the end must be nothing.
  mutating func finish() throws(DecodingError) {
    if peek() != 0 || position < bytes.count { throw failure(.trailing) }
  }

  /// Begins an object; ``nextKey(_:)`` walks it. True when it has a member.
  @inline(__always)
  mutating func beginObject() throws(DecodingError) -> Bool {
    try expect(0x7b)
    return !take(0x7d)
  }

  @inline(__always)
  mutating func beginArray() throws(DecodingError) -> Bool {
    try expect(0x5b)
    return !take(0x5d)
  }

  /// Behind a member: whether another one follows.
  @inline(__always)
  mutating func another(_ end: UInt8) throws(DecodingError) -> Bool {
    if take(0x2c) { return true }
    try expect(end)
    return false
  }

  /// A key without escapes, as the bytes between its quotes, and the colon; a key with escapes is one that nobody knows.
  @inline(__always)
  mutating func key() throws(DecodingError) -> UnsafeRawBufferPointer {
    try expect(0x22)
    let (start, end, _) = try closingQuote()
    try expect(0x3a)
    return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
  }

  // MARK: Texts

  /// Passes over a string whose first quote was taken: where its text starts and ends, and whether it has escapes.
  @inline(__always)
  private mutating func closingQuote() throws(DecodingError) -> (start: Int, end: Int, isEscaped: Bool) {
    let start = position
    var isEscaped = false
    while position < bytes.count {
      // Plain bytes eight at a time: the bound of the load is checked before it.
      while bytes.count &- position >= 8 {
        let special = ByteLanes.special(
          bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian)
        if special != 0 {
          position &+= ByteLanes.first(special)
          break
        }
        position &+= 8
      }
      guard position < bytes.count else { break }
      let byte = bytes[position]
      if byte == 0x22 {
        position &+= 1
        return (start, position &- 1, isEscaped)
      }
      if byte == 0x5c {
        isEscaped = true
        position &+= 2
      } else if byte < 0x20 {
        throw failure()
      } else {
        position &+= 1
      }
    }
    position = min(position, bytes.count)
    throw DecodingError(.truncated, at: position)
  }

  /// A string, appended to the span's texts.
  @inline(__always)
  mutating func text(_ span: inout Span, _ limits: SpanLimits) throws(DecodingError) -> Span.Text {
    try expect(0x22)
    let (start, end, isEscaped) = try closingQuote()
    guard end - start <= limits.textBytes else { throw failure(.limit) }
    let offset = span.text.count
    if isEscaped {
      try unescape(start, end, into: &span.text)
    } else {
      span.text.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
    }
    return Span.Text(offset, span.text.count - offset)
  }

  /// A string, not for hot paths.
  mutating func string() throws(DecodingError) -> String {
    try expect(0x22)
    let (start, end, _) = try closingQuote()
    var text: [UInt8] = []
    try unescape(start, end, into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private func unescape(_ start: Int, _ end: Int, into text: inout [UInt8]) throws(DecodingError) {
    var index = start
    while index < end {
      let byte = bytes[index]
      if byte != 0x5c {
        text.append(byte)
        index += 1
        continue
      }
      guard index + 1 < end else { throw DecodingError(.syntax, at: index) }
      switch bytes[index + 1] {
      case 0x22: text.append(0x22)
      case 0x5c: text.append(0x5c)
      case 0x2f: text.append(0x2f)
      case 0x62: text.append(0x08)
      case 0x66: text.append(0x0c)
      case 0x6e: text.append(0x0a)
      case 0x72: text.append(0x0d)
      case 0x74: text.append(0x09)
      case 0x75:
        index = try unescapeUnit(index, end, into: &text)
        continue
      default: throw DecodingError(.syntax, at: index)
      }
      index += 2
    }
  }

  /// `\uXXXX`, or two of them for one scalar; returns the index behind.
  private func unescapeUnit(_ index: Int, _ end: Int, into text: inout [UInt8]) throws(DecodingError) -> Int {
    var value = try unit(index, end)
    var next = index + 6
    if (0xd800..<0xdc00).contains(value) {
      guard next + 6 <= end, bytes[next] == 0x5c, bytes[next + 1] == 0x75 else {
        throw DecodingError(.text, at: index)
      }
      let low = try unit(next, end)
      guard (0xdc00..<0xe000).contains(low) else { throw DecodingError(.text, at: index) }
      value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
      next += 6
    }
    guard let scalar = Unicode.Scalar(value) else { throw DecodingError(.text, at: index) }
    text.append(contentsOf: Character(scalar).utf8)
    return next
  }

  private func unit(_ index: Int, _ end: Int) throws(DecodingError) -> UInt32 {
    guard index + 6 <= end else { throw DecodingError(.syntax, at: index) }
    var value: UInt32 = 0
    for place in 2..<6 {
      let byte = bytes[index + place]
      switch byte {
      case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(byte - 0x37)
      case 0x61...0x66: value = value << 4 | UInt32(byte - 0x57)
      default: throw DecodingError(.syntax, at: index)
      }
    }
    return value
  }

  // MARK: Numbers

  /// A number without sign, fraction and exponent.
  @inline(__always)
  mutating func unsigned<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) throws(DecodingError) -> T {
    _ = peek()
    let start = position
    // The digits that surely fit go without a check each.
    var value: UInt64 = 0
    while position < bytes.count, position - start < 19 {
      let digit = bytes[position] &- 0x30
      guard digit < 10 else { break }
      value = value &* 10 &+ UInt64(digit)
      position &+= 1
    }
    guard position > start else { throw failure() }
    if bytes[start] == 0x30, position - start > 1 { throw failure() }
    guard var result = T(exactly: value) else { throw failure(.number) }
    while position < bytes.count {
      let digit = bytes[position] &- 0x30
      guard digit < 10 else { break }
      let (scaled, overflow) = result.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(T(truncatingIfNeeded: digit))
      if overflow || carry { throw failure(.number) }
      result = sum
      position &+= 1
    }
    if position < bytes.count, bytes[position] == 0x2e || bytes[position] | 0x20 == 0x65 {
      throw failure(.number)
    }
    return result
  }

  mutating func signed() throws(DecodingError) -> Int64 {
    let isNegative = take(0x2d)
    let magnitude = try unsigned(UInt64.self)
    if !isNegative {
      guard let value = Int64(exactly: magnitude) else { throw failure(.number) }
      return value
    }
    guard magnitude <= 1 << 63 else { throw failure(.number) }
    return Int64(truncatingIfNeeded: 0 &- magnitude)
  }

  /// A number that has digits on both sides of its point and nothing else that JSON forbids.
  mutating func double() throws(DecodingError) -> Double {
    _ = peek()
    let start = position
    if position < bytes.count, bytes[position] == 0x2d { position &+= 1 }
    let whole = try digits()
    if whole > 1, bytes[position - whole] == 0x30 { throw failure() }
    if position < bytes.count, bytes[position] == 0x2e {
      position &+= 1
      _ = try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == 0x65 {
      position &+= 1
      if position < bytes.count, bytes[position] == 0x2b || bytes[position] == 0x2d { position &+= 1 }
      _ = try digits()
    }
    let text = Substring(decoding: bytes[start..<position], as: UTF8.self)
    // A number beyond the type's range is one that would not come back.
    guard let value = Double(text), value.isFinite else { throw failure(.number) }
    return value
  }

  private mutating func digits() throws(DecodingError) -> Int {
    let start = position
    while position < bytes.count, bytes[position] &- 0x30 < 10 { position &+= 1 }
    guard position > start else { throw failure() }
    return position - start
  }

  mutating func bool() throws(DecodingError) -> Bool {
    if peek() == 0x74 {
      try literal("true")
      return true
    }
    try literal("false")
    return false
  }

  /// Whether this word is next, which is not taken.
  func hasWord(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard bytes.count - position >= length, let base = bytes.baseAddress else { return false }
    return memcmp(base + position, word.utf8Start, length) == 0
  }

  /// The word and the quote that ends it.
  mutating func word(_ word: StaticString) throws(DecodingError) {
    try literal(word)
    guard position < bytes.count, bytes[position] == 0x22 else { throw failure(.tag) }
    position &+= 1
  }

  private mutating func literal(_ word: StaticString) throws(DecodingError) {
    guard hasWord(word) else { throw failure() }
    position += word.utf8CodeUnitCount
  }

  // MARK: The rest

  /// Passes over a value of any kind.
  mutating func skipValue(depth: Int = 0) throws(DecodingError) {
    guard depth < Self.depthLimit else { throw failure(.limit) }
    switch peek() {
    case 0x7b:
      var more = try beginObject()
      while more {
        _ = try key()
        try skipValue(depth: depth + 1)
        more = try another(0x7d)
      }
    case 0x5b:
      var more = try beginArray()
      while more {
        try skipValue(depth: depth + 1)
        more = try another(0x5d)
      }
    case 0x22:
      position &+= 1
      _ = try closingQuote()
    case 0x74, 0x66: _ = try bool()
    case 0x6e: try literal("null")
    default: _ = try double()
    }
  }
}

extension UnsafeRawBufferPointer {
  @inline(__always)
  static func == (bytes: UnsafeRawBufferPointer, text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    guard let base = bytes.baseAddress else { return true }
    return memcmp(base, text.utf8Start, bytes.count) == 0
  }
}
