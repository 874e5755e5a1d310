import Foundation
import TestSupport
import Testing

/// Our own logfmt, read back: the same records, whatever is in them, and no option needed.
@Suite(.ownThreads) struct LogfmtReadBackTests {
  /// What readers, terminals and rules stumble over.
  private static let pieces: [String] =
    (0...0xa0).compactMap { Unicode.Scalar($0).map { String(Character($0)) } }
    + "\u{ad}\u{200b}\u{200d}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}\u{feff}\u{fffd}\u{e000}\u{378}\u{fff9}\u{ffff}"
    .unicodeScalars.map { String(Character($0)) }
    + [
      "\u{e0001}", "\u{10ffff}", "\u{1f600}", "é", "\u{3000}", "\u{85}", "%!d(MISSING)", "%!(EXTRA",
      "%!(EXTRA ",
      "%!(BADINDEX)", "%!(BADPREC)", "%!", "\\u001b", "\\u{1b}", "\\u{", "\\u{}", "\\u{110000}", "\\x1b",
      "\\", "\\\\x",
      "\u{1b}[31m", "\u{1b}]0;t\u{7}", "=", "\"", "data.", "data.level", "time=", "kata-log-parser-logfmt",
      " kata-log-parser-logfmt=1", "container_id:\"c\"",
    ]

  private static func text(_ limit: Int, _ generator: inout SplitMix64) -> String {
    (0..<Int.random(in: 0..<limit, using: &generator))
      .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
  }

  /// A record of a JSON logger, of which any part may be hostile or missing.
  private static func record(_ number: Int, _ generator: inout SplitMix64) throws -> Data {
    var members: [String: Any] = [
      "time": String(format: "2026-03-05T05:01:54.%09dZ", number), "level": "info",
      "msg": text(12, &generator),
      "name": "n", "pid": 1 + number % 9, "source": "s",
    ]
    for key in ["level", "name", "source", "pid", "sandbox", "container"]
    where Int.random(in: 0..<12, using: &generator) == 0 {
      let value = text(4, &generator)
      // JSON's reader, too, wants one word where there is to be one.
      let word = String(String.UnicodeScalarView(value.unicodeScalars.filter { !$0.properties.isWhitespace }))
      members[key] = key == "pid" || Bool.random(using: &generator) ? nil : key == "sandbox" ? value : word
    }
    let keys = [
      "k", "x\\x1", "data.level", "a b", "req", "kata-log-parser-logfmt", "\u{3000}", "%!d(MISSING)",
    ]
    for _ in 0..<Int.random(in: 0..<5, using: &generator) {
      let key =
        Bool.random(using: &generator) ? keys.randomElement(using: &generator) ?? "k" : text(6, &generator)
      if members[key] == nil { members[key] = text(10, &generator) }
    }
    return try JSONSerialization.data(withJSONObject: members, options: .sortedKeys) + Data("\n".utf8)
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func hostileRecordsAreReadBackAsTheyWere(_ seed: UInt64) throws {
    var generator = SplitMix64(state: seed)
    var input = Data()
    let count = 2500
    for number in 0..<count { input += try Self.record(number, &generator) }
    let lenient = ["--ignore-missing-fields", "-"]
    let written = try Tool.run(["--output-format", "logfmt"] + lenient, input: input)
    #expect(written.status == 0, "seed \(seed): \(written.errorText)")
    let marked = written.text.split(separator: "\n").filter { $0.hasSuffix(" kata-log-parser-logfmt=1") }
    #expect(marked.count > count / 2)
    for format in ["json", "ndjson"] {
      let before = try Tool.run(["--output-format", format] + lenient, input: input)
      let after = try Tool.run(["--output-format", format, "-"], input: written.output)
      #expect(before.status == 0 && after.status == 0, "seed \(seed): \(after.errorText)")
      let (old, new) = (before.output.split(separator: 0x0a), after.output.split(separator: 0x0a))
      #expect(old.count == new.count && old.count >= count)
      let first = zip(old, new).first { $0 != $1 }.map {
        "\(String(decoding: $0, as: UTF8.self))\n\(String(decoding: $1, as: UTF8.self))"
      }
      #expect(first == nil, "seed \(seed), \(format): the first that differs:\n\(first ?? "")")
    }
    // A second time nothing changes.
    #expect(try Tool.run(["--output-format", "logfmt", "-"], input: written.output).output == written.output)
  }

  /// A reader that knows nothing of the mark finds no character that a terminal obeys, and no broken line.
  @Test func escapesArePlainTextToOtherReaders() throws {
    let json =
      #"{"time":"2026-03-05T05:01:54.5Z","level":"info","msg":"\u001b[31m\\u{1b}\u202e","name":"n","pid":1,"#
    let input = json + #""source":"s","a\tb":"%!d(MISSING)","level\u200b":"x","plain":"\\n"}"# + "\n"
    let result = try Tool.run(["--output-format", "logfmt", "-"], input: Data(input.utf8))
    let line =
      #"time="2026-03-05T05:01:54.500000000Z" level=info msg="\\u{1b}[31m\\u{5c}u{1b}\\u{202e}" name=n pid=1 source=s "#
      + #"a\u{9}b="\\u{25}!d(MISSING)" level\u{200b}=x plain="\\n" kata-log-parser-logfmt=1"#
    #expect(result.text == line + "\n")
    // Without the mark it is an ordinary line of logfmt, and what it says is what stands there.
    let unmarked = line.replacingOccurrences(of: " kata-log-parser-logfmt=1", with: "\n")
    let read = try Tool.run(["--output-format", "json", "-"], input: Data(unmarked.utf8))
    #expect(
      read.status == 0 && read.text.contains(#""Msg": "\\u{1b}[31m\\u{5c}u{1b}\\u{202e}""#), "\(read.text)")
  }

  /// Strictness is not given up for lines that only look marked.
  @Test(arguments: [
    #"msg="\u001b" name=n pid=1 source=s kata-log-parser-logfmt=2"#,
    #"msg="\u001b" name=n pid=1 source=s kata-log-parser-logfmt=1"#,
    #"msg=m name=n pid=1 kata-log-parser-logfmt=1 x=1"#, #"msg=m name=n pid=1 x-kata-log-parser-logfmt=1"#,
    #"msg="m name=n pid=1 kata-log-parser-logfmt=1"#,
  ])
  func whatIsNotWrittenSoIsStillRefused(_ rest: String) throws {
    let line = "time=\"2026-03-05T05:01:54.5Z\" level=info \(rest)\n"
    let result = try Tool.run(["--output-format", "json", "-"], input: Data(line.utf8))
    #expect(result.status == 1 && !result.errorText.isEmpty)
  }

  @Test func lineInsideSyslogIsRestoredToo() throws {
    let line =
      #"Mar  5 05:01:54 h kata[7]: time="2026-03-05T05:01:54.5Z" level=info msg="\\u{1b}" data.level=X kata-log-parser-logfmt=1"#
    let result = try Tool.run(
      ["--output-format", "json", "--ignore-missing-fields", "-"], input: Data("\(line)\n".utf8))
    #expect(result.text.contains(#""Msg": "\u001b""#), "\(result.text)\(result.errorText)")
    #expect(result.text.contains(#""level": "X""#), "\(result.text)")
  }
}
