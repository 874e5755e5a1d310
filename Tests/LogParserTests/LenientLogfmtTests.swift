import Bytes
import Glibc
import LogParser
import System
import TestSupport
import Testing

/// Lines of pairs that the rules refuse, read as a person would.
@Suite struct LenientLogfmtTests {
  /// What a line was read as: its own fields that are not empty and its extra fields, by name.
  private func read(_ line: String, strict: Bool = false) throws -> [String: String] {
    let file = try FileDescriptor.temporary(in: "/tmp")
    try Array((line + "\n").utf8).withUnsafeBytes { try file.writeAll($0, subject: "test") }
    lseek(file.number, 0, SEEK_SET)
    var rules = ReadingRules()
    rules.isLenient = !strict
    rules.allowsMissingFields = true
    var lines = LineReader(FileDescriptor(owning: dup(file.number)), subject: "test", limit: 4096)
    var reader = RecordReader(
      format: .auto, rules: rules, reference: Timestamp(seconds: 1_772_755_200), recordLimit: 4096)
    var record = Record()
    guard case .record = reader.next(&lines, into: &record) else { return [:] }
    var found: [String: String] = ["time": record.time.rfc3339]
    for (name, value) in [
      ("level", record.level), ("msg", record.message), ("name", record.name), ("source", record.source),
      ("sandbox", record.sandbox), ("container", record.container),
    ] where !value.isEmpty {
      found[name] = value.string
    }
    if record.pid != 0 { found["pid"] = String(record.pid) }
    for index in 0..<record.fields.count {
      let key = record.fields[index].key.string
      found[found[key] == nil ? key : "data." + key] = record.fields[index].value.string
    }
    if record.marks.contains(.isTruncated) { found["(truncated)"] = "true" }
    return found
  }

  private static let time = "time=\"2026-03-05T06:10:11.5Z\""
  private static let inherited = "kata-log-parser-time-inherited"

  @Test(arguments: [
    // Missing fields are empty, whatever remains.
    (" level=info msg=\"hello\"", ["level": "info", "msg": "hello"]),
    ("", [:]),
    // A key is all words since the last value.
    (
      " level=debug msg=\"sized\" default cpu=0 default mem=0 workload mem in MB=4",
      ["level": "debug", "msg": "sized", "default cpu": "0", "default mem": "0", "workload mem in MB": "4"]
    ),
    (
      " msg=\"huge\" name=shim ociSpec Hugepage Resources=\"[]\" pid=7",
      ["msg": "huge", "name": "shim", "ociSpec Hugepage Resources": "[]", "pid": "7"]
    ),
    // Words that no key ends, or too many for one.
    (" msg=\"a\" and the rest", ["msg": "a", "text": "and the rest"]),
    (
      " msg=\"a\" one two three four five six=7 end",
      ["msg": "a", "six": "7", "text": "one two three four five end"]
    ),
    // Quotes in a value.
    (
      " level=error msg=\"no \"layer one\" of \"7f\"\" error=\"not found\"",
      ["level": "error", "msg": "no \"layer one\" of \"7f\"", "error": "not found"]
    ),
    (
      " msg=\"open \"foo\": no such file\" level=info",
      ["msg": "open \"foo\": no such file", "level": "info"]
    ),
    (" msg=\"StopPodSandbox for \"a1\"\"", ["msg": "StopPodSandbox for \"a1\""]),
    // A value without an end.
    (" level=info msg=\"cut here and", ["level": "info", "msg": "cut here and", "(truncated)": "true"]),
    // A key that comes twice.
    (
      " level=info a=1 a=2 a=3 level=debug",
      ["level": "info", "a": "1", "a.1": "2", "a.2": "3", "data.level": "debug"]
    ),
    // What Go's formatting left, and what is no escape.
    (" msg=\"bad %!d(MISSING)\" pid=3", ["msg": "bad %!d(MISSING)", "pid": "3"]),
    (" msg=\"C:\\dir \\\"x\\\" \\n\"", ["msg": "C:\\dir \"x\" \n"]),
    (" msg=\"bell \u{7}\"", ["msg": "bell \u{7}"]),
    // A pid that is none, a level of several words, a message without quotes.
    (" pid=-4 level=\"very bad\"", ["pid": "-4", "level": "very bad"]),
    (" pid=one msg=hello big world level=info", ["pid": "one", "msg": "hello big world", "level": "info"]),
    (" x=a=b y=c\"d", ["x": "a=b", "y": "c\"d"]),
  ])
  func nothingOfTheLineIsLost(_ rest: String, _ wanted: [String: String]) throws {
    var wanted = wanted
    wanted["time"] = "2026-03-05T06:10:11.5Z"
    #expect(try read(Self.time + rest) == wanted)
  }

  @Test(arguments: [
    ("time=\"2026-03-05T06:10:11Z\" msg=a", "2026-03-05T06:10:11Z"),
    ("time=\"2026-03-05 06:10:11.25Z\" msg=a", "2026-03-05T06:10:11.25Z"),
    ("time=2026-03-05 06:10:11.25Z msg=a", "2026-03-05T06:10:11.25Z"),
  ])
  func timesNeedNoFraction(_ line: String, _ time: String) throws {
    #expect(try read(line) == ["time": time, "msg": "a"])
  }

  /// The time is that of a neighbour, or of the file, and what is written stays.
  @Test func unreadableTimesAreKept() throws {
    let file = "2026-03-06T00:00:00Z"
    #expect(
      try read("time=\"yesterday\" level=info msg=a") == [
        "time": file, "time.unread": "yesterday", "level": "info", "msg": "a", Self.inherited: "true",
      ])
    #expect(
      try read("level=info msg=\"Run daemons monitor...\"") == [
        "time": file, "level": "info", "msg": "Run daemons monitor...", Self.inherited: "true",
      ])
  }

  /// CRI-O's name is the call that a record belongs to.
  @Test func callsOfCRIOAreNotPrograms() throws {
    let line =
      "Mar 05 09:05:00 node5 crio[1511]: time=\"2026-03-05 09:05:00.4Z\" level=info msg=\"Ran\" "
      + "id=d50f name=/runtime.v1.RuntimeService/RunPodSandbox"
    let found = try read(line)
    #expect(found["name"] == "crio" && found["rpc"] == "/runtime.v1.RuntimeService/RunPodSandbox")
    #expect(found["pid"] == "1511" && found["id"] == "d50f")
  }

  /// A line of another shape with a time somewhere in it is not taken for pairs.
  @Test func otherShapesComeFirst() throws {
    let found = try read("plain words with time=\"x\" in them and more=1 time=2")
    #expect(found["kata-log-parser-raw"] == "true")
  }

  /// Without leniency all of these are still refused.
  @Test func theRulesStandWhereTheyAreWanted() throws {
    for rest in [" a=1 a=2", " msg=\"a \"b\" c\"", " msg=\"open"] {
      #expect(try read(Self.time + rest, strict: true).isEmpty)
    }
  }

  /// A hostile line costs time in proportion to its length.
  @Test func longLinesOfAnythingEnd() throws {
    for piece in ["a=1 ", "a ", "\" ", "\"", "=", "a=\" b=", "x=\"a\" b \"", "\\"] {
      let line = Self.time + " msg=\"" + String(repeating: piece, count: 3800 / piece.utf8.count)
      #expect(try !read(line).isEmpty)
    }
  }
}
