import Bytes
import LogParser
import TestSupport
import Testing

@Suite struct PrettyFormatterTests {
  private static let words = [
    "a", "container", "日本語", "e\u{301}", "😀", "\u{1b}[31m", "/usr/bin/qemu-system-x86_64", "\n", "\t", "   ",
    "\u{202e}", "=",
    String(repeating: "x", count: 150), String(repeating: "界", count: 70),
  ]

  /// On a terminal no line is longer than its columns, and all of the text is there.
  @Test(.seeded) func linesFitAndNothingIsLost() {
    var random = Seed.generator()
    for _ in 0..<300 {
      let message = Self.text(&random)
      let value = Self.text(&random)
      let width = 60 + Int(random.next() % 150)
      var options = PrettyOptions()
      options.width = width
      options.isFull = true
      let output = Self.output([(message, value)], options)
      for line in output.split(separator: "\n") {
        #expect(Self.columns(line) <= width, "\(line)")
      }
      for word in [message, value].joined(separator: " ").split(whereSeparator: \.isWhitespace) {
        let shown = Self.shown(word)
        #expect(Self.squeezed(output).contains(Self.squeezed(shown)), "\(shown) is not in \(output)")
      }
    }
  }

  /// Text beyond the lines that a record may take is counted.
  @Test func longMessagesEndWithTheCountOfTheRest() {
    var options = PrettyOptions()
    options.width = 80
    let lines = (1...30).map { "line \($0)" }.joined(separator: "\n")
    let output = Self.output([(lines, "v")], options)
    #expect(output.contains("line 12\n") && !output.contains("line 13"), "\(output)")
    #expect(output.contains("… 18 more lines (--full)"), "\(output)")
    let long = Self.output([(String(repeating: "word ", count: 200), "v")], options)
    #expect(long.contains(" more bytes (--full)"), "\(long)")
    options.isFull = true
    #expect(Self.output([(lines, "v")], options).contains("line 30"))
    options = PrettyOptions()
    #expect(Self.output([(lines, "v")], options).contains("line 30"))
  }

  @Test func hidesAndShowsFields() {
    var options = PrettyOptions()
    #expect(Self.output([("m", "v")], options, key: "console-url").hasSuffix("m\n"))
    options.shown = ["Console-URL"]
    #expect(Self.output([("m", "v")], options, key: "console-url").hasSuffix("m  console-url=v\n"))
    options.shown = ["all"]
    #expect(Self.output([("m", "v")], options, key: "CODE_LINE").hasSuffix("m  CODE_LINE=v\n"))
    options = PrettyOptions()
    options.hidden = ["key"]
    #expect(Self.output([("m", "v")], options, key: "key").hasSuffix("m\n"))
    options.hidden = ["all"]
    options.shown = ["other"]
    #expect(Self.output([("m", "v")], options, key: "key").hasSuffix("m\n"))
    #expect(Self.output([("m", "v")], options, key: "other").hasSuffix("m  other=v\n"))
  }

  /// What the formatter writes for records that are a second apart.
  private static func output(
    _ records: [(message: String, value: String)], _ options: PrettyOptions, key: String = "key"
  ) -> String {
    let formatter = PrettyFormatter(options)
    var out = OutputBuffer()
    var record = Record()
    var place = RecordPlace(filename: .empty, count: 0, delta: 0)
    for (message, value) in records {
      record.reset()
      record.time = Timestamp(seconds: 1_772_686_914 + Int64(place.count))
      place.delta = place.count == 0 ? 0 : 1_000_000_000
      place.count += 1
      record.message = record.arena.copy(Array(message.utf8))
      _ = record.fields.add(record.arena.copy(Array(key.utf8)), record.arena.copy(Array(value.utf8)))
      formatter.format(record, place, &out)
    }
    return String(decoding: out.bytes, as: UTF8.self)
  }

  private static func text(_ random: inout SplitMix64) -> String {
    (0..<(1 + random.next() % 20)).map { _ in
      words[Int(random.next() % UInt64(words.count))] + (random.next() % 2 == 0 ? " " : "")
    }.joined()
  }

  private static func columns(_ line: Substring) -> Int {
    line.unicodeScalars.reduce(0) { $0 + DisplayWidth.columns($1) }
  }

  /// A word as a terminal is shown it.
  private static func shown(_ word: Substring) -> String { TerminalText.line(String(word)) }

  private static func squeezed(_ text: String) -> String { String(text.filter { !$0.isWhitespace }) }
}
