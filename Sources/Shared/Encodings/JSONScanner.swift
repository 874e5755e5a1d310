import Bytes

/// Reads JSON member by member, without building a tree: the caller knows what to expect.
///
/// The log parser has another reader, `JSONReader`, because the two behave differently: that one repairs damaged texts
/// and returns slices of the input, this one refuses them and copies values into the span. Both share the rules for
/// escapes, hexadecimal digits and UTF-8 in Bytes.
///
/// It borrows the bytes, which must be UTF-8 (checked once, before); nesting is bounded wherever it is not the
/// caller's.
public struct JSONScanner {
  @usableFromInline internal let bytes: UnsafeRawBufferPointer
  @usableFromInline internal var offset = 0
  @inlinable public var position: Int { offset }
  /// The maximum nesting of skipped values.
  @usableFromInline internal static let depthLimit = 64

  @inlinable public init(_ bytes: UnsafeRawBufferPointer) throws(CodecError) {
    self.bytes = bytes
    guard bytes.isUTF8 else { throw CodecError(.text, at: 0) }
  }

  @inlinable public func failure(_ reason: CodecError.Reason = .syntax) -> CodecError {
    CodecError(position >= bytes.count && reason == .syntax ? .truncated : reason, at: position)
  }

  // MARK: Structure

  /// The next byte that is not a space, which is not consumed; 0 at the end.
  @inlinable @inline(__always)
  public mutating func peek() -> UInt8 {
    while position < bytes.count {
      let byte = bytes.at(position)
      guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
      offset += 1
    }
    return 0
  }

  @inlinable @inline(__always)
  public mutating func expect(_ byte: UInt8) throws(CodecError) {
    guard peek() == byte, position < bytes.count else { throw failure() }
    offset += 1
  }

  /// Consumes the byte if it is next.
  @inlinable @inline(__always)
  public mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte, position < bytes.count else { return false }
    offset += 1
    return true
  }

  @inlinable public mutating func takeNull() throws(CodecError) -> Bool {
    guard peek() == 0x6e else { return false }
    try literal("null")
    return true
  }

  /// Requires the end of the input.
  @inlinable public mutating func finish() throws(CodecError) {
    if peek() != 0 || position < bytes.count { throw failure(.trailing) }
  }

  /// Begins an object; ``nextKey(_:)`` iterates over it. True if it has a member.
  @inlinable @inline(__always)
  public mutating func beginObject() throws(CodecError) -> Bool {
    try expect(0x7b)
    return !take(0x7d)
  }

  @inlinable @inline(__always)
  public mutating func beginArray() throws(CodecError) -> Bool {
    try expect(0x5b)
    return !take(0x5d)
  }

  /// After a member: whether another one follows.
  @inlinable @inline(__always)
  public mutating func another(_ end: UInt8) throws(CodecError) -> Bool {
    if take(0x2c) { return true }
    try expect(end)
    return false
  }

  /// A key without escapes, as the bytes between its quotes, and the colon; a key with escapes cannot be a known one.
  @inlinable @inline(__always)
  public mutating func key() throws(CodecError) -> UnsafeRawBufferPointer {
    try expect(0x22)
    let (start, end, _) = try closingQuote()
    try expect(0x3a)
    return bytes.part(start..<end)
  }

  // MARK: Texts

  /// Skips a string whose opening quote was consumed: returns where its text starts and ends, and whether it has
  /// escapes.
  @inlinable @inline(__always)
  internal mutating func closingQuote() throws(CodecError) -> (start: Int, end: Int, isEscaped: Bool) {
    let start = position
    var isEscaped = false
    while true {
      offset = bytes.firstSpecial(from: position)
      guard position < bytes.count else { break }
      let byte = bytes.at(position)
      if byte == UInt8(ascii: "\"") {
        offset += 1
        return (start, position - 1, isEscaped)
      }
      guard byte == UInt8(ascii: "\\") else { throw failure() }
      isEscaped = true
      offset += 2
    }
    offset = min(position, bytes.count)
    throw CodecError(.truncated, at: position)
  }

  /// A string of at most `limit` bytes, appended to `target` without its escapes.
  @inlinable @inline(__always)
  public mutating func string(limit: Int, into target: inout [UInt8]) throws(CodecError) {
    try expect(0x22)
    let (start, end, isEscaped) = try closingQuote()
    guard end - start <= limit else { throw failure(.limit) }
    if isEscaped {
      try unescape(start, end, into: &target)
    } else {
      target.append(contentsOf: bytes.part(start..<end))
    }
  }

  /// A string, not for hot paths.
  @inlinable public mutating func string() throws(CodecError) -> String {
    try expect(0x22)
    let (start, end, _) = try closingQuote()
    var text: [UInt8] = []
    try unescape(start, end, into: &text)
    return String(decoding: text, as: UTF8.self)
  }

  @inlinable internal func unescape(_ start: Int, _ end: Int, into text: inout [UInt8]) throws(CodecError) {
    var index = start
    while index < end {
      let byte = bytes.at(index)
      if byte != 0x5c {
        text.append(byte)
        index += 1
        continue
      }
      guard index + 1 < end else { throw CodecError(.syntax, at: index) }
      let letter = bytes.at(index + 1)
      if letter == UInt8(ascii: "u") {
        index = try unescapeUnit(index, end, into: &text)
        continue
      }
      guard let plain = JSONEscape.byte(for: letter) else { throw CodecError(.syntax, at: index) }
      text.append(plain)
      index += 2
    }
  }

  /// `\uXXXX`, or two of them for one scalar; returns the index after.
  @inlinable internal func unescapeUnit(_ index: Int, _ end: Int, into text: inout [UInt8]) throws(CodecError)
    -> Int
  {
    var value = try unit(index, end)
    var next = index + 6
    if (0xd800..<0xdc00).contains(value) {
      guard next + 6 <= end, bytes.at(next) == 0x5c, bytes.at(next + 1) == 0x75 else {
        throw CodecError(.text, at: index)
      }
      let low = try unit(next, end)
      guard (0xdc00..<0xe000).contains(low) else { throw CodecError(.text, at: index) }
      value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
      next += 6
    }
    guard let scalar = Unicode.Scalar(value) else { throw CodecError(.text, at: index) }
    text.append(contentsOf: Character(scalar).utf8)
    return next
  }

  @inlinable internal func unit(_ index: Int, _ end: Int) throws(CodecError) -> UInt32 {
    guard index + 6 <= end, let value = HexDigit.four(bytes.part(index + 2..<index + 6)) else {
      throw CodecError(.syntax, at: index)
    }
    return value
  }

  // MARK: Numbers

  /// A number without sign, fraction and exponent.
  @inlinable @inline(__always)
  public mutating func unsigned<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) throws(CodecError)
    -> T
  {
    _ = peek()
    let start = position
    // The digits that always fit need no overflow check.
    var value: UInt64 = 0
    while position < bytes.count, position - start < 19 {
      let digit = bytes.at(position)
      guard digit.isDigit else { break }
      // Nineteen digits fit.
      value = value * 10 + UInt64(digit & 15)
      offset += 1
    }
    guard position > start else { throw failure() }
    if bytes.at(start) == 0x30, position - start > 1 { throw failure() }
    guard var result = T(exactly: value) else { throw failure(.number) }
    while position < bytes.count {
      let digit = bytes.at(position)
      guard digit.isDigit else { break }
      let (scaled, overflow) = result.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(T(truncatingIfNeeded: digit & 15))
      if overflow || carry { throw failure(.number) }
      result = sum
      offset += 1
    }
    if position < bytes.count, bytes.at(position) == 0x2e || bytes.at(position) | 0x20 == 0x65 {
      throw failure(.number)
    }
    return result
  }

  @inlinable public mutating func signed() throws(CodecError) -> Int64 {
    let isNegative = take(0x2d)
    let magnitude = try unsigned(UInt64.self)
    if !isNegative {
      guard let value = Int64(exactly: magnitude) else { throw failure(.number) }
      return value
    }
    guard magnitude <= 1 << 63 else { throw failure(.number) }
    return magnitude == 1 << 63 ? .min : -Int64(magnitude)
  }

  /// A number that has digits on both sides of its point and nothing else that JSON forbids.
  @inlinable public mutating func double() throws(CodecError) -> Double {
    _ = peek()
    let start = position
    if position < bytes.count, bytes.at(position) == 0x2d { offset += 1 }
    let whole = try digits()
    if whole > 1, bytes.at(position - whole) == 0x30 { throw failure() }
    if position < bytes.count, bytes.at(position) == 0x2e {
      offset += 1
      _ = try digits()
    }
    if position < bytes.count, bytes.at(position) | 0x20 == 0x65 {
      offset += 1
      if position < bytes.count, bytes.at(position) == 0x2b || bytes.at(position) == 0x2d { offset += 1 }
      _ = try digits()
    }
    let text = Substring(decoding: bytes.part(start..<position), as: UTF8.self)
    // A number outside the type's range would not be preserved.
    guard let value = Double(text), value.isFinite else { throw failure(.number) }
    return value
  }

  @inlinable internal mutating func digits() throws(CodecError) -> Int {
    let start = position
    while position < bytes.count, bytes.at(position).isDigit { offset += 1 }
    guard position > start else { throw failure() }
    return position - start
  }

  @inlinable public mutating func bool() throws(CodecError) -> Bool {
    if peek() == 0x74 {
      try literal("true")
      return true
    }
    try literal("false")
    return false
  }

  /// Whether this word is next, without consuming it.
  @inlinable public func hasWord(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard bytes.count - position >= length else { return false }
    return bytes.part(position..<position + length) == word
  }

  /// The word and the quote that ends it.
  @inlinable public mutating func word(_ word: StaticString) throws(CodecError) {
    try literal(word)
    guard position < bytes.count, bytes.at(position) == 0x22 else { throw failure(.tag) }
    offset += 1
  }

  @inlinable internal mutating func literal(_ word: StaticString) throws(CodecError) {
    guard hasWord(word) else { throw failure() }
    offset += word.utf8CodeUnitCount
  }

  // MARK: The rest

  /// Skips a value of any kind.
  @inlinable public mutating func skipValue(depth: Int = 0) throws(CodecError) {
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
      offset += 1
      _ = try closingQuote()
    case 0x74, 0x66: _ = try bool()
    case 0x6e: try literal("null")
    default: _ = try double()
    }
  }
}
