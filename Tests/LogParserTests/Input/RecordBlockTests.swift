import Bytes
import Glibc
import System
import TestSupport
import Testing

@testable import LogParser

/// Records of several lines, and what is put around lines when they are pasted.
struct RecordBlockTests {
  private struct Read: Equatable, CustomStringConvertible {
    var line: UInt64
    var message: String
    var isRaw = false
    var isTruncated = false

    var description: String { "\(line)\(isRaw ? " raw" : "")\(isTruncated ? " cut" : ""): \(message)" }
  }

  private func read(_ text: String, isLenient: Bool = true) throws -> [Read] {
    let file = try FileDescriptor.temporary(in: "/tmp")
    try Array(text.utf8).withUnsafeBytes { try file.writeAll($0, subject: "test") }
    lseek(file.number, 0, SEEK_SET)
    var lines = LineReader(FileDescriptor(owning: dup(file.number)), subject: "test", limit: 1 << 20)
    var rules = ReadingRules()
    rules.isLenient = isLenient
    rules.allowsMissingFields = isLenient
    var reader = RecordReader(
      format: .auto, rules: rules, reference: Timestamp(seconds: 1_772_755_200), recordLimit: 1 << 20)
    var record = Record()
    var records: [Read] = []
    while true {
      switch reader.next(&lines, into: &record) {
      case .end, .pause: return records
      case .problem(let problem, let line), .flawed(let problem, let line):
        records.append(Read(line: line, message: "error: \(problem.reason)"))
      case .record:
        records.append(
          Read(
            line: record.line, message: record.message.string, isRaw: record.marks.contains(.isRaw),
            isTruncated: record.marks.contains(.isTruncated)))
      }
    }
  }

  private static let before = "time=\"2026-03-05T10:00:00.1Z\" level=info msg=before name=a pid=1 source=b\n"
  private static let after = "time=\"2026-03-05T10:00:01.1Z\" level=info msg=after name=a pid=1 source=b\n"

  @Test(arguments: [
    [
      "panic: nil map", "", "goroutine 1 [running]:", "main.main()", "\t/src/main.go:7 +0x1d",
      "exit status 2",
    ],
    ["thread 'main' panicked at src/main.rs:1:2:", "two", "lines", "note: run with `RUST_BACKTRACE=1`"],
    ["Error: no route", "", "Caused by:", "    0: timed out"],
    ["KVM internal error. Suberror: 1", "EAX=00000000 EBX=00000000", "Code=00 <ea>"],
    ["[2026-03-05T10:40:50Z DEBUG kbs] Config {", "  a: 1,", "}"],
  ])
  func joinsABlock(_ lines: [String]) throws {
    let records = try read(Self.before + lines.joined(separator: "\n") + "\n" + Self.after)
    let text = lines.joined(separator: "\n")
    #expect(records.map(\.line) == [1, 2, UInt64(lines.count + 2)])
    #expect(records.count == 3 && text.hasSuffix(records[1].message) && !records[1].isRaw)
    #expect(records.last?.message == "after")
  }

  /// A line that has a record of its own is never part of another one.
  @Test func aRecordEndsABlock() throws {
    let records = try read(Self.before + "panic: one\n" + Self.after + "\tat nothing\n")
    #expect(records.map(\.message) == ["before", "panic: one", "after", "\tat nothing"])
    #expect(records.map(\.isRaw) == [false, false, false, true])
  }

  @Test func blocksOfTwoProcessesStayApart() throws {
    let first = "Mar 05 10:00:00 h p[1]: "
    let records = try read(
      first + "panic: one\nMar 05 10:00:00 h p[2]: goroutine 7 [running]:\n" + first
        + "goroutine 1 [running]:\n")
    #expect(records.map(\.line) == [1, 2, 3])
  }

  @Test func aBlockIsBounded() throws {
    let frames = String(repeating: "\t/src/main.go:7 +0x1d\n", count: 2 * RecordBlock.lineLimit)
    let records = try read(Self.before + "panic: deep\n" + frames + Self.after)
    #expect(records[1].isTruncated)
    #expect(records[1].message.split(separator: "\n").count == RecordBlock.lineLimit)
    // What is beyond the limit is not lost.
    #expect(records.count == 3 + 2 * RecordBlock.lineLimit - (RecordBlock.lineLimit - 1))
  }

  @Test func theClassicReadingJoinsNothing() throws {
    let records = try read(Self.before + "panic: one\n\tat nothing\n" + Self.after, isLenient: false)
    #expect(records.count == 4)
  }

  @Test func objectsOverLinesAreRead() throws {
    let records = try read(
      """
      {"msg":"two
      lines","level":"INFO","ts":"2026-03-05T10:30:00.5Z","name":"kata-agent","source":"agent","pid":"1"}
      {
        "MESSAGE" : "pretty",
        "__REALTIME_TIMESTAMP" : "1772708471991000"
      }

      """)
    #expect(records == [Read(line: 1, message: "two\nlines"), Read(line: 3, message: "pretty")])
  }

  @Test func truncatedObjectKeepsCompleteMembers() throws {
    let records = try read(
      #"{"msg":"whole","level":"INFO","ts":"2026-03-05T10:30:00.5Z","name":"kata-age"# + "\n" + Self.after)
    #expect(
      records == [Read(line: 1, message: "whole", isTruncated: true), Read(line: 2, message: "after")])
  }

  @Test func invalidObjectLosesNoLine() throws {
    let records = try read(Self.before + "{\n  \"a\": 1\nwords\n}\n")
    #expect(records.map(\.line) == [1, 2, 3, 4, 5])
  }

  @Test(arguments: [
    "> ", "10:23:47 # ", "# ", "  ", "| ", "183 ", "kata.log:17:", "2026-03-05T11:45:34.0963240Z ",
    "<details>",
  ])
  func takesOffWhatWasPutBefore(_ prefix: String) throws {
    let records = try read(prefix + Self.before)
    #expect(records == [Read(line: 1, message: "before")])
  }

  @Test(arguments: [
    "# Heading", "> a quote", "- an item: of a list", "1. first", "```", "$ kata-runtime check",
  ])
  func leavesProse(_ line: String) throws {
    let records = try read(Self.before + line + "\n")
    #expect(records.last == Read(line: 2, message: line, isRaw: true))
  }

  @Test func repairsCharacters() throws {
    let entities = Self.before.replacing("\"", with: "&quot;")
    let quotes = Self.before.replacing("time=\"", with: "time=“").replacing("Z\"", with: "Z”")
    #expect(try read(entities + quotes).map(\.message) == ["before", "before"])
  }

  @Test(arguments: [50, 60, 80])
  func joinsWrappedLines(_ width: Int) throws {
    let line =
      "time=\"2026-03-05T10:00:00.1Z\" level=info msg=\"some words that are long\" name=a pid=1 source=b "
      + "sandbox=9eabd2187e3d90cf1224a15ec504073acb74a47ff109f1cc1b79b48d826c56d5"
    var wrapped = ""
    for (index, character) in line.enumerated() {
      if index > 0, index % width == 0 { wrapped += "\n" }
      wrapped.append(character)
    }
    let records = try read(wrapped + "\n" + Self.after)
    #expect(records.map(\.message) == ["some words that are long", "after"])
  }
}
