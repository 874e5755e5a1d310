import Bytes
import Logging
import Testing

@testable import LogParser

struct SelectionFilterTests {
  /// A record of level warning, source agent, sandbox abcdef and container 123456, with a field of its own.
  private func selects(_ set: (inout Selection) -> Void) throws -> Bool {
    var selection = Selection()
    set(&selection)
    var record = Record()
    RunFixture.fill(&record, 100, "hello world")
    record.level = record.arena.copy("warning" as StaticString)
    record.source = record.arena.copy("agent" as StaticString)
    record.sandbox = record.arena.copy("abcdef" as StaticString)
    record.container = record.arena.copy("123456" as StaticString)
    record.pid = 42
    record.setField("vcpu", record.arena.copy("7" as StaticString))
    return try SelectionFilter(selection).selects(record, Owner(of: record))
  }

  @Test func nothingGivenSelectsEverything() throws { #expect(try selects { _ in }) }

  @Test(arguments: [
    (["abc"], true), (["abcdef"], true), (["abcdefg"], false), (["b"], false), (["x", "ab"], true),
  ])
  func idsAreGivenByTheirFirstCharacters(_ ids: [String], isSelected: Bool) throws {
    #expect(try selects { $0.sandboxes = ids } == isSelected)
    let numbers = ids.map {
      $0.replacing("abcdef", with: "123456").replacing("abc", with: "123").replacing("ab", with: "12")
    }
    #expect(try selects { $0.containers = numbers } == isSelected)
  }

  @Test(arguments: [(["agent"], true), (["agen"], false), (["agents"], false), (["x", "agent"], true)])
  func sourcesAreWholeNames(_ sources: [String], isSelected: Bool) throws {
    #expect(try selects { $0.sources = sources } == isSelected)
  }

  @Test(arguments: [(LogLevel.info, true), (.warning, true), (.error, false)])
  func levelsAreAtLeast(_ level: LogLevel, isSelected: Bool) throws {
    #expect(try selects { $0.minimumLevel = level } == isSelected)
  }

  @Test(arguments: [(99, 101, true), (100, 100, true), (101, 200, false), (1, 99, false)])
  func timesIncludeTheirEnds(_ since: Int64, _ until: Int64, isSelected: Bool) throws {
    #expect(
      try selects {
        $0.since = Timestamp(seconds: since)
        $0.until = Timestamp(seconds: until)
      } == isSelected)
  }

  @Test(arguments: [
    ("msg", Selection.Match.Pattern.equals("hello world"), true), ("msg", .equals("hello"), false),
    ("msg", .matches("^hello"), true), ("msg", .matches("(wor|x)ld$"), true), ("msg", .matches("^w"), false),
    ("pid", .equals("42"), true), ("pid", .matches("^4"), true), ("pid", .equals("4"), false),
    ("vcpu", .equals("7"), true), ("data.vcpu", .equals("7"), true), ("other", .equals(""), false),
    ("name", .equals(""), true),
  ])
  func matchesLookAtOneField(
    _ key: String, _ pattern: Selection.Match.Pattern, isSelected: Bool
  ) throws {
    #expect(try selects { $0.matches = [Selection.Match(key: key, pattern: pattern)] } == isSelected)
  }

  @Test func allConditionsMustHold() throws {
    #expect(
      try !selects {
        $0.sources = ["agent"]
        $0.matches = [.init(key: "pid", pattern: .equals("42")), .init(key: "msg", pattern: .equals("x"))]
      })
  }

  @Test func invalidExpressionIsRefused() {
    #expect(throws: RegularExpression.Problem.self) {
      _ = try selects { $0.matches = [.init(key: "msg", pattern: .matches("("))] }
    }
  }

  @Test func tallyListsExistingValues() throws {
    var selection = Selection()
    selection.sources = ["nothing"]
    let tally = SelectionTally(selection)
    let filter = try SelectionFilter(selection, tally: tally)
    var record = Record()
    for source in ["runtime", "agent", "agent"] {
      RunFixture.fill(&record, 1)
      record.source = record.arena.copy(source)
      let isAccepted = filter.accepts(record, Owner(of: record))
      #expect(!isAccepted)
    }
    #expect(tally.explanation == "no record matched --source nothing; found 2 sources: runtime, agent")
  }
}
