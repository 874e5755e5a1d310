import Bytes

/// The members of a JSON object in the order in which they are written.
struct MemberList: ~Copyable {
  private var members = ReusedList<PlainMember>()
  /// Whether the JSON was an object, not a bare `null`.
  var isObject = true

  var count: Int { members.count }

  subscript(index: Int) -> (key: ByteSlice, value: ByteSlice) {
    let member = members[index]
    return (member.name, member.value)
  }

  /// Empties the list and keeps its memory.
  mutating func removeAll() { members.removeAll() }

  mutating func append(_ key: ByteSlice, _ value: ByteSlice) {
    members.append(PlainMember(name: key, value: value))
  }

  mutating func append(_ member: PlainMember) { members.append(member) }
}
