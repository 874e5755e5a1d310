import Bytes

/// A line of `journalctl -o json`: one entry as an object; `-o json-sse` writes `data: ` before it, `-o json-seq` the
/// byte that separates texts in RFC 7464.
enum JournalObject {
  static let detector = Detector(
    shape: "journal", use: .auto(orForced: [.json]), firstBytes: "{d\u{1e}"
  ) { (line, context, record) throws(RecordProblem) in
    if context.object.readFlat(line, &record.arena) {
      guard isEntry(context.object.members) else { return .passed }
      try JournalEntry.read(context.object.members, into: &record, text: context.text)
      if context.object.members.hasNull { record.marks.insert(.isTruncated) }
      return .record
    }
    var isCut = false
    let line =
      line.hasPrefix("data: {") ? line.dropFirst(6) : line.hasPrefix("\u{1e}{") ? line.dropFirst(1) : line
    guard line.hasPrefix("{") else { return .passed }
    guard line.range(of: "\"__REALTIME_TIMESTAMP\"") != nil || line.range(of: "\"MESSAGE\"") != nil,
      let members = try? JSONMembers.journalEntry(line, &record.arena, isCut: &isCut),
      !members.contains("msg")
    else { return .passed }
    try JournalEntry.read(members, into: &record, text: context.text)
    if isCut { record.marks.insert(.isTruncated) }
    return .record
  }

  /// Whether the members are those of an entry, and not of a record that happens to have a field of such a name.
  private static func isEntry(_ members: borrowing MemberList) -> Bool {
    guard members.contains("__REALTIME_TIMESTAMP") || members.contains("MESSAGE") else { return false }
    return !members.contains("msg")
  }
}
