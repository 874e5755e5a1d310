import Bytes
import Glibc

/// One piece of a JSON text.
enum JSONToken {
  case beginObject, endObject, beginArray, endArray
  /// The name of an object's member, unescaped.
  case name(ByteSlice)
  /// A string, unescaped.
  case string(ByteSlice)
  /// A number, `true` or `false`, as it is written.
  case literal(ByteSlice)
  case null
}

/// Reads JSON (RFC 8259) from bytes in memory, strictly, piece by piece.
///
/// Strings become slices of the text itself, or of the arena where they had escapes. Nesting is bounded by
/// ``maximumDepth``, so that no input costs more than its own length.
struct JSONReader {
  static let maximumDepth = 64

  private let start: UnsafePointer<UInt8>
  private var p: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  /// Bit n tells whether nesting level n + 1 is an object.
  private var objects: UInt64 = 0
  private var depth = 0
  private var expects = Expectation.value

  private enum Expectation { case value, firstValueOrEnd, firstNameOrEnd, name, separatorOrEnd, nothing }

  init(_ text: ByteSlice) {
    start = text.base
    p = text.base
    end = text.end
  }

  /// Where the reader is, in bytes from the start.
  var offset: Int { p - start }

  @inline(__always)
  private mutating func skipBlanks() {
    while p < end, p.pointee <= 0x20,
      p.pointee == 0x20 || p.pointee == 0x0a || p.pointee == 0x09 || p.pointee == 0x0d
    {
      p += 1
    }
  }

  private func problem(_ reason: String) -> RecordProblem {
    RecordProblem(column: offset + 1, "invalid JSON: \(reason)")
  }

  /// The next token, or nil once the text's one value has ended. What follows that value is left alone.
  mutating func next(_ arena: inout Arena) throws(RecordProblem) -> JSONToken? {
    if expects == .nothing { return nil }
    skipBlanks()
    guard p < end else { throw problem("it ends too early") }
    if expects == .separatorOrEnd {
      if p.pointee == 0x2c {
        p += 1
        skipBlanks()
        expects = isInObject ? .name : .value
        guard p < end else { throw problem("it ends too early") }
      } else {
        return try close()
      }
    }
    switch expects {
    case .firstNameOrEnd where p.pointee == 0x7d: return try close()
    case .firstValueOrEnd where p.pointee == 0x5d: return try close()
    case .name, .firstNameOrEnd:
      guard p.pointee == 0x22 else { throw problem("a member's name in quotes is missing") }
      let name = try string(&arena)
      skipBlanks()
      guard p < end, p.pointee == 0x3a else { throw problem("a colon is missing") }
      p += 1
      expects = .value
      return .name(name)
    default: return try value(&arena)
    }
  }

  private var isInObject: Bool { depth > 0 && objects >> UInt64(depth - 1) & 1 == 1 }

  private mutating func close() throws(RecordProblem) -> JSONToken {
    let isObject = isInObject
    guard depth > 0, p.pointee == (isObject ? 0x7d : 0x5d) else {
      throw problem(isObject ? "a comma or } is missing" : "a comma or ] is missing")
    }
    p += 1
    depth -= 1
    expects = depth == 0 ? .nothing : .separatorOrEnd
    return isObject ? .endObject : .endArray
  }

  private mutating func value(_ arena: inout Arena) throws(RecordProblem) -> JSONToken {
    switch p.pointee {
    case 0x7b, 0x5b:
      let isObject = p.pointee == 0x7b
      guard depth < Self.maximumDepth else { throw problem("it is nested deeper than \(Self.maximumDepth)") }
      if isObject { objects |= 1 << UInt64(depth) } else { objects &= ~(1 << UInt64(depth)) }
      depth += 1
      p += 1
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
    let from = p
    while p < end {
      switch p.pointee {
      case 0x30...0x39, 0x61...0x7a, 0x2b, 0x2d, 0x2e, 0x45: p += 1
      default: return try classify(ByteSlice(base: from, count: p - from, isPlain: true))
      }
    }
    return try classify(ByteSlice(base: from, count: p - from, isPlain: true))
  }

  private func classify(_ text: ByteSlice) throws(RecordProblem) -> JSONToken {
    if text == "null" { return .null }
    if text == "true" || text == "false" || Self.isNumber(text) { return .literal(text) }
    throw problem("a value is missing")
  }

  /// Whether the text is a JSON number.
  static func isNumber(_ text: ByteSlice) -> Bool {
    var index = 0
    func digits() -> Int {
      let from = index
      while index < text.count, text[index] &- 0x30 < 10 { index += 1 }
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

  /// The string at the quote that the reader is on.
  @inline(__always)
  private mutating func string(_ arena: inout Arena) throws(RecordProblem) -> ByteSlice {
    let content = p + 1
    let stop = ByteScanner.quoteOrEscape(content, end)
    if stop.at < end, stop.at.pointee == 0x22, stop.isPlain {
      p = stop.at + 1
      return ByteSlice(base: content, count: stop.at - content, isPlain: true)
    }
    return try escapedString(content, stop.at, &arena)
  }

  private mutating func escapedString(
    _ content: UnsafePointer<UInt8>, _ firstStop: UnsafePointer<UInt8>, _ arena: inout Arena
  ) throws(RecordProblem) -> ByteSlice {
    let close = ByteScanner.closingQuote(firstStop, end)
    guard close < end else { throw problem("a string does not end") }
    do throws(EscapeProblem) {
      let text = ByteSlice(base: content, count: close - content, isPlain: false)
      let value = try Unescaper.unescape(text, rule: .json, into: &arena)
      p = close + 1
      return value
    } catch {
      throw RecordProblem(column: content - start + error.offset + 1, "invalid JSON: \(error.reason)")
    }
  }

  /// What is left when the value has been read: nothing but white space in a well-formed text.
  mutating func isAtEnd() -> Bool {
    skipBlanks()
    return p == end
  }

  /// Reads an object whose values are all strings (null counts as an empty one), and nothing behind it. Nil when the
  /// text is anything else; a bare `null` gives a list that is no object.
  mutating func readFlatObject(_ arena: inout Arena, _ index: inout StructuralIndex) -> MemberList? {
    guard let members = try? flatObject(&arena, &index), isAtEnd() else { return nil }
    return members
  }

  /// Reads the members of an object, from its first name on, that are written as loggers write nearly every one:
  /// `"name":"value"` of nothing but plain bytes, a comma behind. The last one is left for who reads on.
  @inline(__always)
  private mutating func plainMembers(_ members: inout MemberList, _ index: inout StructuralIndex) {
    let text = ByteSlice(base: start, count: end - start, isPlain: false)
    index.find(in: text, endsAtLineFeed: false)
    var place = 0
    while place &+ 1 < index.count {
      // Quotes that open, and all bytes that are not plain, are places: what lies between two that follow each other is
      // plain but for the quote that closes. Places are in the text, and the bytes before those of values too.
      let (name, value, next) = (index[place], index[place &+ 1], index[place &+ 2])
      guard name == p - start, next < text.count, value > name + 2, next > value + 2, start[name] == 0x22,
        start[value &- 2] == 0x22, start[value &- 1] == 0x3a, start[value] == 0x22,
        start[next &- 2] == 0x22, start[next &- 1] == 0x2c, start[next] == 0x22
      else { return }
      members.append(
        ByteSlice(base: start + name + 1, count: value &- name &- 3, isPlain: true),
        ByteSlice(base: start + value + 1, count: next &- value &- 3, isPlain: true))
      p = start + next
      place &+= 2
    }
  }

  @inline(__always)
  private mutating func flatObject(
    _ arena: inout Arena, _ index: inout StructuralIndex
  ) throws(RecordProblem) -> MemberList {
    var members = MemberList()
    skipBlanks()
    guard p < end else { throw problem("it is empty") }
    if p.pointee == 0x6e {
      guard case .null = try literal() else { throw problem("it is no object") }
      members.isObject = false
      return members
    }
    guard p.pointee == 0x7b else { throw problem("it is no object") }
    p += 1
    skipBlanks()
    if p < end, p.pointee == 0x7d {
      p += 1
      return members
    }
    plainMembers(&members, &index)
    while true {
      skipBlanks()
      guard p < end, p.pointee == 0x22 else { throw problem("a member's name in quotes is missing") }
      let name = try string(&arena)
      skipBlanks()
      guard p < end, p.pointee == 0x3a else { throw problem("a colon is missing") }
      p += 1
      skipBlanks()
      guard p < end else { throw problem("it ends too early") }
      if p.pointee == 0x22 {
        members.append(name, try string(&arena))
      } else {
        guard case .null = try literal() else { throw problem("a value is no string") }
        members.append(name, .empty)
      }
      skipBlanks()
      guard p < end else { throw problem("it ends too early") }
      if p.pointee == 0x7d {
        p += 1
        return members
      }
      guard p.pointee == 0x2c else { throw problem("a comma or } is missing") }
      p += 1
    }
  }
}

/// The members of a JSON object in the order in which they are written.
struct MemberList: ~Copyable {
  private var storage: UnsafeMutablePointer<(key: ByteSlice, value: ByteSlice)>
  private var capacity = 16
  private(set) var count = 0
  var isObject = true

  init() { storage = .allocate(capacity: capacity) }

  deinit { storage.deallocate() }

  subscript(index: Int) -> (key: ByteSlice, value: ByteSlice) {
    precondition(index >= 0 && index < count, "member index out of range")
    return storage[index]
  }

  /// Empties the list and keeps its memory.
  mutating func removeAll() { count = 0 }

  mutating func append(_ key: ByteSlice, _ value: ByteSlice) {
    if count == capacity {
      let larger = UnsafeMutablePointer<(key: ByteSlice, value: ByteSlice)>.allocate(capacity: capacity * 2)
      larger.moveInitialize(from: storage, count: count)
      storage.deallocate()
      storage = larger
      capacity *= 2
    }
    (storage + count).initialize(to: (key, value))
    count += 1
  }
}
