import Bytes

/// Reads the members of any JSON object as pairs of texts.
enum JSONMembers {
  /// The maximum total size of the composed names of one record's nested members: nesting multiplies it.
  static let nameLimit = 4 << 20

  /// Reads an object with nothing after it. Nested members become members of their own, named by their path with full
  /// stops (`request.id`, `args.0`); numbers and Booleans keep their spelling, null is the empty text, an empty object
  /// or array is `{}` or `[]`.
  static func flattened(
    _ text: ByteSlice, _ arena: inout Arena
  ) throws(RecordProblem) -> MemberList {
    var members = MemberList()
    var index = StructuralIndex()
    if readFlat(text, into: &members, &arena, &index) { return members }
    return try flattenedByTokens(text, &arena)
  }

  /// Reads a flat object with nothing after it, as on nearly every line of a JSON log. False if the text is anything
  /// else, or not JSON; ``flattened(_:_:)`` then decides.
  static func readFlat(
    _ text: ByteSlice, into members: inout MemberList, _ arena: inout Arena, _ index: inout StructuralIndex
  ) -> Bool {
    var reader = JSONReader(text)
    return reader.readFlatObject(into: &members, takesLiterals: true, &arena, &index) && members.isObject
  }

  /// As ``flattened(_:_:)``, for texts that ``readFlat(_:into:_:_:)`` does not accept.
  static func flattenedByTokens(
    _ text: ByteSlice, _ arena: inout Arena
  ) throws(RecordProblem) -> MemberList {
    var reader = JSONReader(text)
    var members = MemberList()
    guard case .beginObject = try reader.next(&arena) else {
      throw RecordProblem("the JSON value is not an object")
    }
    var nameBytes = 0
    // One entry per open level: the path of its contents, and the next index if it is an array.
    var levels = [Level(path: .empty, nextIndex: nil)]
    var name = ByteSlice.empty
    while let token = try reader.next(&arena) {
      switch token {
      case .name(let text):
        name = try path(levels[levels.count - 1].path, text, &nameBytes, &arena)
        levels[levels.count - 1].isEmpty = false
        continue
      case .endObject, .endArray:
        let closed = levels.removeLast()
        if levels.isEmpty { break }
        if closed.isEmpty { members.append(closed.path, closed.nextIndex == nil ? "{}" : "[]", &arena) }
        continue
      default: break
      }
      guard !levels.isEmpty else { break }
      if let index = levels[levels.count - 1].nextIndex {
        let number = arena.copy(String(index))
        name = try path(levels[levels.count - 1].path, number, &nameBytes, &arena)
        levels[levels.count - 1].nextIndex = index + 1
        levels[levels.count - 1].isEmpty = false
      }
      switch token {
      case .beginObject: levels.append(Level(path: name, nextIndex: nil))
      case .beginArray: levels.append(Level(path: name, nextIndex: 0))
      case .string(let value), .literal(let value): members.append(name, value)
      default: members.append(name, .empty)
      }
    }
    guard reader.isAtEnd() else {
      throw RecordProblem(column: reader.offset + 1, "unexpected text after the JSON object")
    }
    return members
  }

  private struct Level {
    var path: ByteSlice
    var nextIndex: Int?
    var isEmpty = true
  }

  private static func path(
    _ parent: ByteSlice, _ name: ByteSlice, _ total: inout Int, _ arena: inout Arena
  ) throws(RecordProblem) -> ByteSlice {
    if parent.isEmpty { return name }
    let count = parent.count + 1 + name.count
    total += count
    guard total <= nameLimit else {
      throw RecordProblem("the names of its nested members take more than \(nameLimit >> 20) MiB")
    }
    return arena.join(parent, UInt8(ascii: "."), name)
  }

  /// Reads an entry of `journalctl -o json`: a field is a string, an array of numbers (bytes that are not text), null
  /// (too large to be shown), or an array of those (a field that occurs more than once).
  /// https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format
  ///
  /// - Parameter isCut: set when a field was too large.
  static func journalEntry(
    _ text: ByteSlice, _ arena: inout Arena, isCut: inout Bool
  ) throws(RecordProblem) -> MemberList {
    var reader = JSONReader(text)
    var members = MemberList()
    guard case .beginObject = try reader.next(&arena) else {
      throw RecordProblem("the JSON value is not an object")
    }
    while let token = try reader.next(&arena) {
      if case .endObject = token { break }
      guard case .name(let name) = token else { throw unexpected() }
      guard let value = try reader.next(&arena) else { throw unexpected() }
      switch value {
      case .string(let text), .literal(let text): members.append(name, text)
      case .null:
        members.append(name, .empty)
        isCut = true
      case .beginArray: try journalArray(&reader, name, &members, &arena)
      default: throw unexpected()
      }
    }
    guard reader.isAtEnd() else {
      throw RecordProblem(column: reader.offset + 1, "unexpected text after the JSON object")
    }
    return members
  }

  private static func unexpected() -> RecordProblem {
    RecordProblem("not a journal entry: a field is neither text nor bytes")
  }

  private static func journalArray(
    _ reader: inout JSONReader, _ name: ByteSlice, _ members: inout MemberList, _ arena: inout Arena
  ) throws(RecordProblem) {
    var bytes: [UInt8] = []
    var depth = 1
    while depth > 0 {
      guard let token = try reader.next(&arena) else { throw unexpected() }
      switch token {
      case .literal(let number):
        guard let value = DecimalNumber.parse(number), let byte = UInt8(exactly: value) else {
          throw unexpected()
        }
        bytes.append(byte)
      case .string(let text): members.append(name, text)
      case .null: members.append(name, .empty)
      case .beginArray:
        depth += 1
        guard depth == 2 else { throw unexpected() }
      case .endArray:
        depth -= 1
        if !bytes.isEmpty {
          members.append(name, arena.copy(bytes))
          bytes.removeAll()
        }
      default: throw unexpected()
      }
    }
  }
}

extension MemberList {
  fileprivate mutating func append(_ key: ByteSlice, _ value: StaticString, _ arena: inout Arena) {
    append(key, arena.copy(value))
  }

  /// The value of the last member with this name.
  func value(of key: StaticString) -> ByteSlice? {
    for index in stride(from: count - 1, through: 0, by: -1) where self[index].key == key {
      return self[index].value
    }
    return nil
  }
}
