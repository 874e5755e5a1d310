import Bytes
import Foundation
import Glibc
import LogParser
import System
import TestSupport
import Testing

/// Mutated inputs of every format: whatever bytes come, reading ends, and gives records or problems.
@Suite(.ownThreads) struct InputFuzzTests {
  private static let seeds: [[UInt8]] = {
    let folder = Repository.path("formats/input")
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.contains("/valid/") || $0.contains("/invalid/") }.sorted()
      .compactMap { FileManager.default.contents(atPath: "\(folder)/\($0)").map(Array.init) }
  }()

  private static let tokens: [String] = [
    "time=", "time=\"2026-03-05T05:01:54.1Z\" ", "msg=", "{\"msg\":\"", "\"ts\":\"", "{", "}", "[", "]",
    "\\u", "\\ud800", "\\u{", "\\x",
    "\"", "\\", "\r", "\n", "\n\n", "\0", "\u{1b}[", "\u{1b}]", "[    1.234567] ", "<34>", "<34>1 ",
    "Mar  5 05:01:54 h p[1]: ",
    "2026-03-05T05:01:54Z stdout P ", "2026-03-05T05:01:54+0100 h p: ", "1772686918.1 h p: ",
    "Thu 2026-03-05 05:01:59 UTC h p: ",
    "I0305 05:01:54.1 1 a.go:1] ", "__CURSOR=s\n", "__REALTIME_TIMESTAMP=", "MESSAGE\n", "vm console: \"",
    "vmconsole=", "source=agent ", "kata[1]: ", "kernel: ", "[Thu Mar  5 05:01:59 2026] ",
    "3月 5 05:01:54 h p: ",
    "Thu 2026-03-05 05:01:59 UTC [s=1;i=2]\n    MESSAGE=", "[pod/a/b] ", "a-1  | ", "\"source\":\"",
    "kata-runtime",
    "\u{ff}\u{ff}\u{ff}\u{ff}", "99999999999999999999", "-1", "1e999", "container_id:\"", "%!d(MISSING)",
    "null", "true", "\u{2028}",
    "panic: x\n", "goroutine 1 [running]:\n\t", "thread 'a' panicked at ",
    "[    1.234567] Kernel panic - not syncing\n",
    "\"items\": [", "> ", "&quot;", "183 ", "2026-03-05 05:01:54 ", "[2026-03-05T05:01:54Z INFO a] ",
    "INFO[0004] ",
  ]

  /// Reads `bytes` to the end and writes each record in every format; returns how many records there were.
  private func read(
    _ bytes: [UInt8], _ format: InputFormat, _ file: borrowing FileDescriptor, _ record: inout Record,
    _ out: inout OutputBuffer
  ) throws -> Int {
    ftruncate(file.number, 0)
    lseek(file.number, 0, SEEK_SET)
    try bytes.withUnsafeBytes { try file.writeAll($0, subject: "test") }
    lseek(file.number, 0, SEEK_SET)
    var lines = LineReader(FileDescriptor(owning: dup(file.number)), subject: "test", limit: 4096)
    var rules = ReadingRules()
    rules.allowsMissingFields = true
    // One half of the inputs leniently, by a bit that says nothing else.
    rules.isLenient = bytes.count % 2 == 0
    var reader = RecordReader(
      format: format, rules: rules, reference: Timestamp(seconds: 1_772_755_200), recordLimit: 4096)
    var count = 0
    var steps = 0
    while true {
      steps += 1
      // Each line and each held or cut piece of one gives at most one outcome.
      guard steps <= 2 * bytes.count + 16 else {
        Issue.record(
          "reading does not end: \(format) \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        return count
      }
      switch reader.next(&lines, into: &record) {
      case .end, .pause: return count
      case .problem(let problem, let line):
        #expect(!problem.reason.isEmpty && line > 0)
      case .record, .flawed:
        count += 1
        #expect(!record.time.isUnset)
        let place = RecordPlace(filename: .empty, count: 1, delta: 0)
        out.removeAll()
        JSONFormatter().format(record, place, &out)
        YAMLFormatter().format(record, place, &out)
        XMLFormatter().format(record, place, &out)
        TOMLFormatter().format(record, place, &out)
        CSVFormatter().format(record, place, &out)
        TextFormatter().format(record, place, &out)
        NDJSONFormatter().format(record, place, &out)
        LogfmtFormatter().format(record, place, &out)
        PrettyFormatter(PrettyOptions(width: 100, isColored: true)).format(record, place, &out)
        #expect(out.count > 0)
      }
    }
  }

  @Test func everyFormatSurvivesMutatedInput() throws {
    let file = try FileDescriptor.temporary(in: "/tmp")
    var record = Record()
    var out = OutputBuffer()
    let mutator = Mutator(seeds: Self.seeds, tokens: Self.tokens.map { Array($0.utf8) })
    #expect(Self.seeds.count > 15)
    var records = 0
    try Fuzzing.run("log input", seconds: 5) { generator in
      let bytes = mutator.next(&generator)
      let format = generator.oneIn(3) ? generator.pick(InputFormat.allCases) : .auto
      records += try read(bytes, format, file, &record, &out)
    }
    #expect(records > 0)
  }

  /// Halves of the agent's records that never end, before any time is known: each half is kept once.
  @Test func cutRecordsWithoutATimeAreReadOnce() throws {
    let text = """
      {"msg":"a[    1.234567] kernel one
      {"msg":"b[    1.234568] kernel two
      {"msg":"c[    1.234569] kernel three
      plain

      """
    let file = try FileDescriptor.temporary(in: "/tmp")
    var record = Record()
    var out = OutputBuffer()
    for format in [InputFormat.auto, .console] {
      #expect(try read(Array(text.utf8), format, file, &record, &out) == 7)
    }
  }

  @Test func journalTimesSurviveAnything() {
    let now = Timestamp(seconds: 1_772_755_200)
    let parts = [
      "-", "+", "1", "99999999999999", "h", "min", " ago", " left", "yesterday", "2026-03-05", " ", "05:01",
      ":", ".5", "@", "UTC", "Thu ",
      "1e308", "y", "M", "é", "\0",
    ]
    var generator = SplitMix64(state: 11)
    for _ in 0..<20_000 {
      let text = (0..<(generator.next() % 6)).map { _ in parts.randomElement(using: &generator) ?? "" }
        .joined()
      if let time = try? JournalTime.parse(text, now: now) {
        #expect(Timestamp.representableSeconds.contains(time.seconds))
      }
    }
  }

  @Test(arguments: [
    ("now", 1_772_755_200), ("-1h", 1_772_751_600), ("+5min", 1_772_755_500), ("2 days ago", 1_772_582_400),
    ("1h 30min ago", 1_772_749_800), ("3h left", 1_772_766_000), ("@1700000000.5", 1_700_000_000),
    ("2026-01-01 10:00 UTC", 1_767_261_600), ("2026-01-01T10:00:00+01:00", 1_767_258_000),
    ("Thu 2026-01-01 10:00:05 UTC", 1_767_261_605), ("2026-01-01 UTC", 1_767_225_600),
    ("1w ago", 1_772_150_400),
  ])
  func journalTimesAreRead(_ text: String, _ seconds: Int64) throws {
    #expect(try JournalTime.parse(text, now: Timestamp(seconds: 1_772_755_200)).seconds == seconds)
  }

  @Test(arguments: [
    "", "whenever", "Fri 2026-01-01 10:00 UTC", "2026-13-01", "25:00", "-1 parsec", "1h", "@", "- 1h ago",
  ])
  func textsThatAreNotTimesAreRefused(_ text: String) {
    #expect(throws: JournalTime.Problem.self) { try JournalTime.parse(text, now: Timestamp(seconds: 0)) }
  }
}
