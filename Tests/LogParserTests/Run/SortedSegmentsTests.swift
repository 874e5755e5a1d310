import Bytes
import Foundation
import TestSupport
import Testing

@testable import LogParser

/// A file in order is looked through in ranges, by several threads: where the ranges meet must make no difference.
struct SortedSegmentsTests {
  private static let lines = [
    RunFixture.line(1, "one"), RunFixture.line(2, "two\\nin\\nlines"), RunFixture.line(2, "a \\\"quote\\\""),
    // A time that is read, not compared as it is written, and one that is said again.
    "time=\"2026-03-05T05:00:00.003Z\" level=info msg=short name=n pid=1 source=s",
    RunFixture.line(4, "again", rest: " a=b time=\"2026-03-05T05:00:00.005Z\""),
    RunFixture.line(6, "é", rest: " k=v"), RunFixture.line(7, "last"),
  ]

  /// The same records with what may stand at the end of a line and of the file.
  static let files = [
    lines.joined(separator: "\n") + "\n", lines.joined(separator: "\n"),
    lines.joined(separator: "\r\n") + "\r\n",
  ]

  @Test(arguments: files, [1, 2, 3])
  func bordersOfRangesMakeNoDifference(_ text: String, threads: Int) throws {
    try RunFixture.withFile(text) { input in
      let whole = try #require(try RunFixture.segments(of: input))
      #expect(whole.count == 1)
      let expected = try RunFixture.render(whole, of: input, NDJSONFormatter(fields: []))
      if !text.contains("\r") { #expect(expected.split(separator: "\n").count == Self.lines.count) }
      for size in 1...text.utf8.count {
        let found = try RunFixture.segments(of: input, threads: threads, rangeSize: size)
        let segments = try #require(found, "ranges of \(size) bytes")
        #expect(segments.map(\.count).reduce(0, +) == text.utf8.count, "ranges of \(size) bytes")
        let output = try RunFixture.render(segments, of: input, NDJSONFormatter(fields: []))
        #expect(output == expected, "ranges of \(size) bytes")
      }
    }
  }

  /// Every format's counts and differences of time go on over the borders, whoever formats which segment.
  @Test(arguments: [1, 2, 3])
  func everyFormatIsTheSameOverSeveralRanges(threads: Int) throws {
    let text = (0..<400).map { RunFixture.line($0 * 7, "text \($0)") + "\n" }.joined()
    try RunFixture.withFile(text) { input in
      let whole = try #require(try RunFixture.segments(of: input))
      let parts = try #require(try RunFixture.segments(of: input, threads: threads, rangeSize: 999))
      #expect(whole.count == 1 && parts.count > 20)
      func compare<F: RecordFormatter>(_ formatter: () -> F) throws {
        let one = try RunFixture.render(whole, of: input, formatter())
        #expect(try RunFixture.render(parts, of: input, formatter(), threads: threads) == one)
      }
      try compare { CSVFormatter() }
      try compare { JSONFormatter() }
      try compare { LogfmtFormatter() }
      try compare { NDJSONFormatter(fields: []) }
      try compare { TextFormatter() }
      try compare { TOMLFormatter() }
      try compare { XMLFormatter() }
      try compare { YAMLFormatter() }
    }
  }

  /// A line that is earlier than the one before is found wherever the border lies.
  @Test(arguments: [1, 2, 3])
  func disorderIsFoundAcrossEveryBorder(threads: Int) throws {
    let text = [1, 2, 5, 4, 6].map { RunFixture.line($0) + "\n" }.joined()
    try RunFixture.withFile(text) { input in
      for size in 1...text.utf8.count {
        let segments = try RunFixture.segments(of: input, threads: threads, rangeSize: size)
        #expect(segments?.count == nil, "ranges of \(size) bytes")
      }
    }
  }

  @Test(arguments: ["\n", "text\n", "time=x level=info\n", " " + RunFixture.line(3) + "\n"])
  func otherLinesAreNotSegments(_ other: String) throws {
    let text = RunFixture.line(1) + "\n" + other + RunFixture.line(5) + "\n"
    try RunFixture.withFile(text) { input in
      for size in [1, 7, 100, 1000] {
        let segments = try RunFixture.segments(of: input, threads: 2, rangeSize: size)
        #expect(segments?.count == nil)
      }
    }
  }

  @Test func lineOverTheLimitIsNoSegment() throws {
    try RunFixture.withFile(RunFixture.line(1) + "\n" + RunFixture.line(2, "longer") + "\n") { input in
      let length = RunFixture.line(2, "longer").utf8.count
      let within = try RunFixture.segments(of: input, lineLimit: length)
      let over = try RunFixture.segments(of: input, lineLimit: length - 1)
      #expect(within != nil && over == nil)
    }
  }

  /// Longer than a segment, so that each range has several.
  @Test func segmentsKnowWhatIsBeforeThem() throws {
    let lines = (0..<6000).map { RunFixture.line($0, String(repeating: "x", count: 60)) }
    let text = lines.map { $0 + "\n" }.joined()
    try RunFixture.withFile(text) { input in
      let segments = try #require(try RunFixture.segments(of: input, threads: 3, rangeSize: 300 << 10))
      #expect(segments.count >= 4)
      var offset = 0
      for segment in segments {
        #expect(segment.offset == offset)
        let before = text.utf8.prefix(offset).count { $0 == 0x0a }
        #expect(segment.firstLine == UInt64(before + 1))
        let time =
          before == 0
          ? nil
          : Timestamp(
            seconds: 1_772_686_800 + Int64((before - 1) / 1000),
            nanoseconds: UInt32((before - 1) % 1000) * 1_000_000)
        #expect(segment.previousTime == time)
        offset += segment.count
      }
      #expect(offset == text.utf8.count)
    }
  }
}
