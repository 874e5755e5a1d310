import Bytes

/// One piece of a JSON text.
enum JSONToken {
  case beginObject, endObject, beginArray, endArray
  /// The name of a member, unescaped.
  case name(ByteSlice)
  /// A string, unescaped.
  case string(ByteSlice)
  /// A number, `true` or `false`, as written.
  case literal(ByteSlice)
  case null
}

/// Reads JSON (RFC 8259) from bytes in memory, strictly, token by token.
///
/// The spans' `JSONScanner` is another reader: it refuses what this one repairs (bytes that are not UTF-8, lone
/// surrogates), and copies every text. ``readFlatObject(_:_:)`` is the fast path: nearly every log record of JSON is an
/// object of plain strings and numbers.
///
/// Strings become slices of the text itself, or of the arena if they had escapes. Nesting is bounded by
/// ``maximumDepth``, so that no input costs more than its own length.
struct JSONReader {
  static let maximumDepth = 64

  /// Read with ``ByteSlice/peek(_:)``: JSON contains no NUL, so a NUL means the end of the text.
  private let text: ByteSlice
  /// The position in bytes.
  private(set) var offset = 0
  /// Bit n is set if nesting level n + 1 is an object.
  private var objects: UInt64 = 0
  private var depth = 0
  private var expects = Expectation.value

  private enum Expectation { case value, firstValueOrEnd, firstNameOrEnd, name, separatorOrEnd, nothing }

  init(_ text: ByteSlice) {
    self.text = text
  }

  @inline(__always)
  private mutating func skipBlanks() {
    while true {
      let byte = text.peek(offset)
      guard byte <= 0x20, byte == 0x20 || byte == 0x0a || byte == 0x09 || byte == 0x0d else { return }
      offset += 1
    }
  }

  private func problem(_ reason: String) -> RecordProblem {
    RecordProblem(column: offset + 1, "invalid JSON: \(reason)")
  }

  /// The next token, or nil after the text's one value. Anything after that value is not read.
  mutating func next(_ arena: inout Arena) throws(RecordProblem) -> JSONToken? {
    if expects == .nothing { return nil }
    skipBlanks()
    guard offset < text.count else { throw problem("unexpected end of input") }
    if expects == .separatorOrEnd {
      if text.peek(offset) == 0x2c {
        offset += 1
        skipBlanks()
        expects = isInObject ? .name : .value
        guard offset < text.count else { throw problem("unexpected end of input") }
      } else {
        return try close()
      }
    }
    switch expects {
    case .firstNameOrEnd where text.peek(offset) == 0x7d: return try close()
    case .firstValueOrEnd where text.peek(offset) == 0x5d: return try close()
    case .name, .firstNameOrEnd:
      guard text.peek(offset) == 0x22 else { throw problem("expected a member name in quotes") }
      let name = try string(&arena)
      skipBlanks()
      guard text.peek(offset) == 0x3a else { throw problem("expected a colon") }
      offset += 1
      expects = .value
      return .name(name)
    default: return try value(&arena)
    }
  }

  private var isInObject: Bool { depth > 0 && objects >> UInt64(depth - 1) & 1 == 1 }

  private mutating func close() throws(RecordProblem) -> JSONToken {
    let isObject = isInObject
    guard depth > 0, text.peek(offset) == (isObject ? 0x7d : 0x5d) else {
      throw problem(isObject ? "expected a comma or }" : "expected a comma or ]")
    }
    offset += 1
    depth -= 1
    expects = depth == 0 ? .nothing : .separatorOrEnd
    return isObject ? .endObject : .endArray
  }

  private mutating func value(_ arena: inout Arena) throws(RecordProblem) -> JSONToken {
    switch text.peek(offset) {
    case 0x7b, 0x5b:
      let isObject = text.peek(offset) == 0x7b
      guard depth < Self.maximumDepth else { throw problem("it is nested deeper than \(Self.maximumDepth)") }
      if isObject { objects |= 1 << UInt64(depth) } else { objects &= ~(1 << UInt64(depth)) }
      depth += 1
      offset += 1
      expects = isObject ? .firstNameOrEnd : .firstValueOrEnd
      return isObject ? .beginObject : .beginArray
    case 0x22:
      let text = try string(&arena)
      expects = depth == 0 ? .nothing : .separatorOrEnd
      return .string(text)
    default:
      let token = try literal()
      expects = depth == 0 ? .nothing : .separatorOrEnd
      return token
    }
  }

  private mutating func literal() throws(RecordProblem) -> JSONToken {
    let from = offset
    while true {
      switch text.peek(offset) {
      case 0x30...0x39, 0x61...0x7a, 0x2b, 0x2d, 0x2e, 0x45: offset += 1
      default: return try classify(text.part(from, offset, isPlain: true))
      }
    }
  }

  private func classify(_ text: ByteSlice) throws(RecordProblem) -> JSONToken {
    if text == "null" { return .null }
    if text == "true" || text == "false" || Self.isNumber(text) { return .literal(text) }
    throw problem("expected a value")
  }

  /// Whether the text is a JSON number.
  static func isNumber(_ text: ByteSlice) -> Bool {
    var index = 0
    func digits() -> Int {
      let from = index
      while index < text.count, text[index].isDigit { index += 1 }
      return index - from
    }
    if index < text.count, text[index] == 0x2d { index += 1 }
    let whole = index
    let wholeDigits = digits()
    guard wholeDigits > 0, wholeDigits == 1 || text[whole] != 0x30 else { return false }
    if index < text.count, text[index] == 0x2e {
      index += 1
      guard digits() > 0 else { return false }
    }
    if index < text.count, text[index] | 0x20 == 0x65 {
      index += 1
      if index < text.count, text[index] == 0x2b || text[index] == 0x2d { index += 1 }
      guard digits() > 0 else { return false }
    }
    return index == text.count
  }

  /// The string whose opening quote is at the current position.
  @inline(__always)
  private mutating func string(_ arena: inout Arena) throws(RecordProblem) -> ByteSlice {
    let content = offset + 1
    let stop = text.quoteOrEscape(from: content)
    if stop.isPlain, text.peek(stop.at) == UInt8(ascii: "\"") {
      offset = stop.at + 1
      return text.part(content, stop.at, isPlain: true)
    }
    return try escapedString(content, stop.at, &arena)
  }

  private mutating func escapedString(
    _ content: Int, _ firstStop: Int, _ arena: inout Arena
  ) throws(RecordProblem) -> ByteSlice {
    let close = text.closingQuote(from: firstStop)
    guard close < text.count else { throw problem("unterminated string") }
    do throws(EscapeProblem) {
      let value = try Unescaper.unescape(
        text.part(content, close, isPlain: false), rule: .json, into: &arena)
      offset = close + 1
      return value
    } catch {
      throw RecordProblem(column: content + error.offset + 1, "invalid JSON: \(error.reason)")
    }
  }

  /// Whether only white space follows the value, as in a well-formed text.
  mutating func isAtEnd() -> Bool {
    skipBlanks()
    return offset == text.count
  }

  /// Reads an object whose values are all strings (null counts as an empty one), with nothing after it. Nil if the text
  /// is anything else; a bare `null` gives a list whose `isObject` is false.
  mutating func readFlatObject(_ arena: inout Arena, _ index: inout StructuralIndex) -> MemberList? {
    var members = MemberList()
    guard readFlatObject(into: &members, takesLiterals: false, &arena, &index) else { return nil }
    return members
  }

  /// As ``readFlatObject(_:_:)``, into a reused list.
  ///
  /// - Parameter takesLiterals: whether a value may be a number or a Boolean, too.
  /// - Returns: false if the text is anything else; the contents of the list are then undefined.
  mutating func readFlatObject(
    into members: inout MemberList, takesLiterals: Bool, _ arena: inout Arena, _ index: inout StructuralIndex
  ) -> Bool {
    members.removeAll()
    guard let isFlat = try? flatObject(&members, takesLiterals: takesLiterals, &arena, &index) else {
      return false
    }
    return isFlat && isAtEnd()
  }

  /// Reads members, from the name at the current position, while they have the form that loggers nearly always write:
  /// `"name":"value"` of plain bytes only, or `"name":123`. The first other one is left to the caller.
  ///
  /// - Parameter place: the position in the index.
  /// - Returns: whether the object ends after them; the reader is then at its closing brace.
  @inline(__always)
  private mutating func plainMembers(
    _ members: inout MemberList, takesLiterals: Bool, _ index: borrowing StructuralIndex, _ place: inout Int
  ) -> Bool {
    while place < index.count, index[place] < offset { place += 1 }
    while true {
      let found: StructuralIndex.FoundMember
      if let plain = index.plainMember(place, in: text, from: offset) {
        found = plain
        place += 2
      } else if takesLiterals, let number = index.numberMember(place, in: text, from: offset) {
        found = number
        place += 1
      } else {
        return false
      }
      members.append(found.member)
      offset = found.next
      if found.isLast { return true }
    }
  }

  /// Reads the object at the start of the text; false if a value has a type that is not accepted.
  private mutating func flatObject(
    _ members: inout MemberList, takesLiterals: Bool, _ arena: inout Arena, _ index: inout StructuralIndex
  ) throws(RecordProblem) -> Bool {
    skipBlanks()
    guard text.peek(offset) == 0x7b else {
      guard text.peek(offset) == 0x6e, case .null = try literal() else { return false }
      members.isObject = false
      return true
    }
    offset += 1
    skipBlanks()
    if text.peek(offset) == 0x7d {
      offset += 1
      return true
    }
    index.find(in: text, endsAtLineFeed: false)
    var place = 0
    while true {
      if plainMembers(&members, takesLiterals: takesLiterals, index, &place) {
        offset += 1
        return true
      }
      guard try flatMember(&members, takesLiterals: takesLiterals, &arena) else { return false }
      skipBlanks()
      if text.peek(offset) == 0x7d {
        offset += 1
        return true
      }
      guard text.peek(offset) == 0x2c else { return false }
      offset += 1
      skipBlanks()
    }
  }

  /// Reads one member of any form; false if its value has a type that is not accepted.
  @inline(__always)
  private mutating func flatMember(
    _ members: inout MemberList, takesLiterals: Bool, _ arena: inout Arena
  ) throws(RecordProblem) -> Bool {
    guard text.peek(offset) == 0x22 else { return false }
    let name = try string(&arena)
    skipBlanks()
    guard text.peek(offset) == 0x3a else { return false }
    offset += 1
    skipBlanks()
    let first = text.peek(offset)
    if first == 0x22 {
      members.append(name, try string(&arena))
      return true
    }
    if first == 0x7b || first == 0x5b { return false }
    switch try literal() {
    case .null:
      members.append(name, .empty)
      members.hasNull = true
    case .literal(let value):
      guard takesLiterals else { return false }
      members.append(name, value)
    default: return false
    }
    return true
  }
}
