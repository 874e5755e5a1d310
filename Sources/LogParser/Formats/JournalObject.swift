/// A line of `journalctl -o json`: one entry as an object.
enum JournalObject {
  static let detector = Detector(
    shape: "journal", use: .auto(orForced: [.json]), firstBytes: "{"
  ) { (line, context, record) throws(RecordProblem) in
    var isCut = false
    guard line.range(of: "\"__REALTIME_TIMESTAMP\"") != nil || line.range(of: "\"MESSAGE\"") != nil,
      let members = try? JSONMembers.journalEntry(line, &record.arena, isCut: &isCut),
      members.value(of: "msg") == nil
    else { return .passed }
    try JournalEntry.read(members, into: &record, text: context.text)
    if isCut { record.marks.insert(.isTruncated) }
    return .record
  }
}
