import Bytes
import Foundation
import Glibc
import LogParser
import System
import TestSupport
import Testing

/// In lenient reading no line is lost: each one's words are in a record, and the counts add up.
@Suite(.ownThreads) struct LenientReadingTests {
  /// Lines of all shapes; `@` stands for a word that no other line has.
  private static let shapes = [
    "time=\"2026-03-05T05:01:54.1Z\" level=info msg=\"hello @\" name=kata pid=7 source=s",
    "time=\"2026-03-05T05:01:54.2Z\" level=info msg=@", "level=warning msg=\"hello @\"",
    "time=\"@\" level=info msg=a",
    "time=\"2026-03-05T05:01:55Z\" msg=\"an @ key\" default cpu=0 default mem=0",
    "time=\"2026-03-05 05:01:55Z\" error=@",
    "time=\"2026-03-05T05:01:54.3Z\" msg=\"open \"@\": no\" level=error", "msg=\"no end @",
    "time=\"2026-03-05T05:01:54.4Z\" a=@ a=1 a=2 msg=x", "time=\"2026-03-05T05:01:54.4Z\" pid=@ level=a b c",
    "time=\"2026-03-05T05:01:54.5Z\" level=debug msg=\"reading guest console\" name=n pid=1 source=virtcontainers vmconsole=\"[    1.5] @\"",
    "{\"level\":\"INFO\",\"msg\":\"hello @\",\"name\":\"kata-agent\",\"pid\":\"1\",\"source\":\"agent\",\"ts\":\"2026-03-05T05:01:54.5Z\"}",
    "{\"level\":\"info\",\"msg\":\"@\",\"time\":\"whenever\"}", "{\"msg\":\"@", "words alone with @",
    "[    1.234567] kernel @",
    "Mar  5 05:01:54 node kata[12]: time=\"2026-03-05T05:01:54.6Z\" level=info msg=\"hello @\"",
    "Mar  5 05:01:54 node containerd[12]: hello @", "<6>Mar  5 05:01:54 node kata[1]: level=info msg=@",
    "2026-03-05T05:01:54.7Z stdout F hello @", "I0305 05:01:54.123456       1 a.go:1] hello @",
    "type=AVC msg=audit(1601481071.991:128): hello @", "9s (x2 over 1m)   Warning   Failed   pod/web-0   @",
    "  Normal  Pulled  9s  kubelet  @", "Name:  @", "Mar  5 05:01:54 node kata[1]: level=info msg=a host=@",
    "time=\"2026-03-05T05:01:54.3Z\" level=info msg=\"time=\\\"2026-03-05T05:01:54.2Z\\\" level=info msg=a\" b=@ source=agent",
    "@", "# @", "@=", "=\"@", "\"@",
  ]

  private static let tokens = [
    "time=", "msg=", "msg=\"", "\"", "\\", "\\\"", "=", " ", "  ", "\t", "\r", "\0", "\u{1b}[31m", "level=",
    " a=", " a=1",
    "{", "}", "[", "]", ",", "%!d(MISSING)", "\u{ff}", "time=\"2026-03-05T05:01:54.9Z\" ", " source=agent",
    "pid=-1", "é", "\\x",
    "container_id:\"", " name=/runtime.v1.X/Y", " level=info msg=", "2026-03-05T05:01:54Z ", "\u{2028}",
  ]

  struct Reading {
    var texts: [UInt8] = []
    var records: UInt64 = 0
    var problems = 0
    var counts = LineCounts()
  }

  /// One line with its own word, and sometimes with something at a place outside of it.
  private static func line(_ number: Int, _ generator: inout SplitMix64) -> String {
    var parts = generator.pick(shapes).split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
      .map(String.init)
    for _ in 0..<generator.below(4) {
      let part = generator.below(parts.count)
      let place = generator.below(parts[part].unicodeScalars.count + 1)
      let index = parts[part].unicodeScalars.index(parts[part].unicodeScalars.startIndex, offsetBy: place)
      if generator.oneIn(4) {
        parts[part] = String(parts[part].unicodeScalars[..<index])
      } else {
        parts[part].unicodeScalars.insert(contentsOf: generator.pick(tokens).unicodeScalars, at: index)
      }
    }
    return parts.joined(separator: word(number))
  }

  private static func word(_ number: Int) -> String { "Word\(number)Mark" }

  private func read(_ bytes: [UInt8], _ file: borrowing FileDescriptor, _ record: inout Record) throws
    -> Reading
  {
    ftruncate(file.number, 0)
    lseek(file.number, 0, SEEK_SET)
    try bytes.withUnsafeBytes { try file.writeAll($0, subject: "test") }
    lseek(file.number, 0, SEEK_SET)
    var lines = LineReader(FileDescriptor(owning: dup(file.number)), subject: "test", limit: 1 << 20)
    var rules = ReadingRules()
    rules.isLenient = true
    rules.allowsMissingFields = true
    var reader = RecordReader(
      format: .auto, rules: rules, reference: Timestamp(seconds: 1_772_755_200), recordLimit: 1 << 20)
    var reading = Reading()
    while true {
      switch reader.next(&lines, into: &record) {
      case .end, .pause:
        reading.counts = reader.lineCounts
        return reading
      case .problem, .flawed: reading.problems += 1
      case .record:
        reading.records += 1
        for text in [
          record.level, record.message, record.source, record.name, record.container, record.sandbox,
        ] {
          reading.texts += text.bytes + [0x0a]
        }
        for index in 0..<record.fields.count {
          reading.texts += record.fields[index].key.bytes + [0x0a] + record.fields[index].value.bytes + [0x0a]
        }
      }
    }
  }

  @Test func noLineIsLost() throws {
    let file = try FileDescriptor.temporary(in: "/tmp")
    var record = Record()
    var found = 0
    try Fuzzing.run("lenient reading", seconds: 3) { generator in
      let lines = (0..<(1 + generator.below(8))).map { Self.line($0, &generator) }
      let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
      let reading = try read(bytes, file, &record)
      let text = String(decoding: reading.texts, as: UTF8.self)
      for number in lines.indices {
        let isThere = text.contains(Self.word(number))
        #expect(isThere, "\(Self.word(number)) of \(lines)")
      }
      #expect(reading.problems == 0, "\(lines)")
      // Line feeds inside a line end it; each line is a record, part of one, blank, or a tool's own.
      let count = UInt64(bytes.filter { $0 == 0x0a }.count)
      #expect(reading.counts.lines == count, "\(lines)")
      #expect(
        reading.records + reading.counts.blank + reading.counts.skipped <= count + reading.counts.split,
        "\(lines)")
      found += lines.count
    }
    #expect(found > 1000)
  }
}
