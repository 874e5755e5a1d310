import Bytes
import Testing

@testable import LogParser

struct LogfmtRecordTests {
  private func problem(_ line: String, rules: ReadingRules = ReadingRules()) -> RecordProblem? {
    var arena = Arena()
    var record = Record()
    let slice = arena.copy(line)
    do throws(RecordProblem) {
      try LogfmtRecord(rules: rules).parse(slice, into: &record)
      return nil
    } catch {
      return error
    }
  }

  private static let good = "time=\"2022-02-03T08:05:22.1Z\" level=info msg=m name=n pid=1 source=s"

  @Test(arguments: ["", " a=1 b=\"x y\" c", " sandbox=x container=y", " k=a\\x41"])
  func acceptsRecords(_ rest: String) { #expect(problem(Self.good + rest) == nil) }

  @Test(arguments: [
    (" a=1 a=2", "the key \"a\" occurs more than once"), (" a=\"x", "unterminated quoted value"),
    (" a=x=y", "unexpected \"=\""), (" pid=x", "the pid \"x\" is not a number"),
    (" level=\"a b\"", "the level \"a b\" is more than one word"), (" pid=-1", "the pid -1 is negative"),
    (" source=", "the field source is missing"),
    (" a=\"\u{1b}\"", "the value of \"a\" is invalid: the character U+001B is not printable"),
  ])
  func saysWhatIsWrong(_ rest: String, reason: String) {
    #expect(problem(Self.good + rest)?.reason == reason)
  }

  @Test func namesTheColumn() { #expect(problem(Self.good + " a=\"x")?.column == Self.good.utf8.count + 4) }
}
