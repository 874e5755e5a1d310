import CommandLine
import Testing

/// Options of every kind, and what they were set to.
private struct Options {
  var isOn = false
  var isLoud = false
  var name: String?
  var mode: String?
  var limit: String?
  var paths: [String] = []

  static var flags: [Flag<Options>] {
    [
      Flag("on", "o", in: "Switches", "Turn it on", sets: \.isOn),
      Flag("loud", "l", in: "Switches", "Say more", sets: \.isLoud),
      Flag("name", "n", .text("NAME"), in: "Values", "Set the name") { (options, text) throws(UsageError) in
        if text.isEmpty { throw UsageError("the name is empty") }
        options.name = text
      },
      Flag("mode", nil, .choice("MODE", ["fast", "slow"]), in: "Values", "Set the mode") {
        (options, text) throws(UsageError) in options.mode = text
      },
      Flag("limit", "L", .optional("N", default: "10"), in: "Values", "Limit it") {
        (options, text) throws(UsageError) in options.limit = text
      },
      Flag("path", "p", .file("FILE"), in: "Values", repeatable: true, "Add a file") {
        (options, text) throws(UsageError) in options.paths.append(text)
      },
    ]
  }

  static func parse(_ arguments: [String]) throws(UsageError) -> (options: Options, operands: [String]) {
    var options = Options()
    let operands = try CommandLineParser(flags).parse(arguments, into: &options)
    return (options, operands)
  }
}

struct CommandLineParserTests {
  @Test(arguments: [
    ["--name", "x"], ["--name=x"], ["-name", "x"], ["-name=x"], ["-n", "x"], ["-nx"], ["-n=x"],
    ["-on", "-nx"], ["-olnx"], ["--name", "y", "--name", "x"],
  ])
  func valueIsTakenHoweverItIsWritten(_ arguments: [String]) throws {
    let result = try Options.parse(arguments)
    #expect(result.options.name == "x")
    #expect(result.operands == [])
  }

  @Test(arguments: [
    (["--on"], true), (["-o"], true), (["-on"], true), (["-lo"], true), (["--on=true"], true),
    (["--on=1"], true), (["--on", "--on=false"], false), (["--on=F"], false), (["-on=0"], false),
  ])
  func switchIsTurnedOnAndOff(_ arguments: [String], _ isOn: Bool) throws {
    #expect(try Options.parse(arguments).options.isOn == isOn)
  }

  @Test(
    arguments: [
      (["--limit"], "10", []), (["--limit=5"], "5", []), (["-L"], "10", []), (["-L5"], "5", []),
      (["--limit", "5"], "10", ["5"]), (["--limit", "-5"], "-5", []), (["-L", "-x"], "10", nil),
    ] as [([String], String, [String]?)])
  func optionalValueIsInTheSameWord(_ arguments: [String], _ limit: String, _ operands: [String]?)
    throws
  {
    guard let operands else {
      #expect(throws: UsageError.self) { _ = try Options.parse(arguments) }
      return
    }
    let result = try Options.parse(arguments)
    #expect(result.options.limit == limit)
    #expect(result.operands == operands)
  }

  @Test func operandsMayBeAnywhere() throws {
    let result = try Options.parse(["a", "--on", "-", "b", "-p", "c", "--path=d", "--", "--loud", "-n"])
    #expect(result.operands == ["a", "-", "b", "--loud", "-n"])
    #expect(result.options.paths == ["c", "d"])
    #expect(result.options.isOn && !result.options.isLoud)
  }

  @Test(arguments: [
    (["--nam", "x"], "unknown option --nam; did you mean --name?"),
    (["--pth=x"], "unknown option --pth; did you mean --path?"),
    (["--quite-another"], "unknown option --quite-another"),
    (["-x"], "unknown option -x"),
    (["-ox"], "unknown option -x in -ox"),
    (["--name"], "--name: a value is missing: NAME"),
    (["-n"], "-n: a value is missing: NAME"),
    (["--name="], "--name: the name is empty"),
    (["--mode", "fsat"], "--mode: \"fsat\" is not one of fast, slow; did you mean fast?"),
    (["--mode=other"], "--mode: \"other\" is not one of fast, slow"),
    (["--on=maybe"], "--on: \"maybe\" is neither true nor false"),
  ])
  func mistakeIsExplained(_ arguments: [String], _ message: String) {
    let error = #expect(throws: UsageError.self) { _ = try Options.parse(arguments) }
    #expect(error?.message == message)
  }

  @Test(arguments: [
    ("fomrat", "format"), ("formt", "format"), ("output-form", "output-format"), ("x", nil),
    ("zzzzzz", nil), ("", nil),
  ])
  func nearestNameIsGuessed(_ text: String, _ guess: String?) {
    #expect(CommandLineParser<Options>.nearest(text, ["format", "output-format", "follow"]) == guess)
  }
}

struct FlagValueTests {
  @Test(arguments: [
    ("0", 0), ("5", 5_000_000_000), ("1ns", 1), ("3us", 3000), ("500ms", 500_000_000), ("2s", 2_000_000_000),
    ("1.5s", 1_500_000_000), ("1min", 60_000_000_000), ("1m", 60_000_000_000), ("2h", 7_200_000_000_000),
    ("1d", 86_400_000_000_000), (".5s", 500_000_000), ("24h", 86_400_000_000_000),
  ])
  func durationIsRead(_ text: String, _ nanoseconds: Int64) throws {
    #expect(try FlagValue.duration(text) == nanoseconds)
  }

  @Test(arguments: [
    "", "s", "-1s", "1 s", "1w", "1.2.3s", "25h", "2d", "1e3s", "infs", "nan", "99999999999d",
  ])
  func malformedOrTooLongDurationIsRefused(_ text: String) {
    #expect(throws: UsageError.self) { _ = try FlagValue.duration(text) }
  }

  @Test func allowedDaysAreAccepted() throws {
    #expect(try FlagValue.duration("2d", days: 2) == 172_800_000_000_000)
    #expect(try FlagValue.duration("3650d", days: 3650) == 315_360_000_000_000_000)
  }

  @Test(arguments: [
    ("0", 0), ("1", 1), ("1024", 1024), ("1K", 1024), ("1k", 1024), ("3M", 3 << 20), ("2G", 2 << 30),
  ])
  func sizeIsRead(_ text: String, _ bytes: Int) throws {
    #expect(try FlagValue.size(text, 0...4 << 30) == bytes)
  }

  @Test(arguments: ["", "K", "-1", "1T", "1.5K", "5G", "9223372036854775807G", "99999999999999999999", "1KK"])
  func malformedOrTooLargeSizeIsRefused(_ text: String) {
    #expect(throws: UsageError.self) { _ = try FlagValue.size(text, 0...4 << 30) }
  }

  @Test(arguments: [("1", 1), ("9", 9), ("0", nil), ("10", nil), ("", nil), ("1x", nil), ("-1", nil)])
  func numberMustBeInItsRange(_ text: String, _ value: Int?) {
    #expect((try? FlagValue.number(text, 1...9)) == value)
  }
}
