/// A line of `journalctl -o json`: one entry as an object; `-o json-sse` writes `data: ` before it, `-o json-seq` the byte
/// that RFC 7464 parts texts by.
enum JournalObject {
  static let detector = Detector(
    shape: "journal", use: .auto(orForced: [.json]), firstBytes: "{d\u{1e}"
  ) { (line, context, record) throws(RecordProblem) in
    var isCut = false
    let line =
      line.hasPrefix("data: {") ? line.dropFirst(6) : line.hasPrefix("\u{1e}{") ? line.dropFirst(1) : line
    guard line.hasPrefix("{") else { return .passed }
    guard line.range(of: "\"__REALTIME_TIMESTAMP\"") != nil || line.range(of: "\"MESSAGE\"") != nil,
      let members = try? JSONMembers.journalEntry(line, &record.arena, isCut: &isCut),
      members.value(of: "msg") == nil
    else { return .passed }
    try JournalEntry.read(members, into: &record, text: context.text)
    if isCut { record.marks.insert(.isTruncated) }
    return .record
  }
}
