import Bytes

/// The members of a JSON object in the order of the text.
struct MemberList: ~Copyable {
  private var members = ReusedList<PlainMember>()
  /// Whether the JSON was an object, not a bare `null`.
  var isObject = true
  /// Whether a value was null, which is the empty text in the list.
  var hasNull = false

  var count: Int { members.count }

  @inline(__always)
  subscript(index: Int) -> (key: ByteSlice, value: ByteSlice) {
    let member = members[index]
    return (member.name, member.value)
  }

  /// Empties the list and keeps its memory.
  mutating func removeAll() {
    members.removeAll()
    isObject = true
    hasNull = false
  }

  @inline(__always)
  mutating func append(_ key: ByteSlice, _ value: ByteSlice) {
    members.append(PlainMember(name: key, value: value))
  }

  @inline(__always)
  mutating func append(_ member: PlainMember) { members.append(member) }
}
