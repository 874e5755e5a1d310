import Glibc
import System
import Testing

@testable import LogParser

struct LineReaderTests {
  /// The lines of `text` as they are handed out; `<n>` stands for one of n bytes that is over the limit.
  private func lines(
    of text: String, limit: Int = 8, chunkSize: Int = 4096, waitsForLineEnd: Bool = false, head: Int = 0,
    isEndSound: (() -> Bool)? = nil
  ) throws -> [String] {
    let file = try FileDescriptor.temporary(in: "/tmp")
    let bytes = Array(text.utf8)
    try bytes.withUnsafeBytes { try file.writeAll($0, subject: "test") }
    lseek(file.number, off_t(head), SEEK_SET)
    var reader = LineReader(
      file, subject: "test", limit: limit, waitsForLineEnd: waitsForLineEnd, head: Array(bytes[..<head]),
      chunkSize: chunkSize, isEndSound: isEndSound)
    var lines: [String] = []
    while true {
      switch reader.next() {
      case .text(let line): lines.append(line.string)
      case .tooLong(let count): lines.append("<\(count)>")
      case .pause: Issue.record("a file never pauses")
      case .end: return lines
      }
    }
  }

  @Test(arguments: [
    ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"]),
    ("a\r\nb\r\n", ["a\r", "b\r"]),
    ("a\0b\n\0", ["a\0b", "\0"]), ("12345678\n", ["12345678"]), ("123456789\nx\n", ["<9>", "x"]),
    ("123456789", ["<9>"]), ("\u{e9}\u{1b}\n", ["\u{e9}\u{1b}"]),
    ("1234567890123456789012345678901234567890\nb", ["<40>", "b"]),
  ])
  func readsWhateverTheSizeOfAReadIs(_ text: String, _ expected: [String]) throws {
    for chunkSize in 1...10 { #expect(try lines(of: text, chunkSize: chunkSize) == expected) }
    #expect(try lines(of: text, chunkSize: 4096) == expected)
  }

  @Test func startsWithWhatWasReadBefore() throws {
    for head in 0...7 { #expect(try lines(of: "ab\ncd\nef", head: head) == ["ab", "cd", "ef"]) }
  }

  @Test func waitsForTheEndOfTheLastLineWhileTheFileGrows() throws {
    #expect(try lines(of: "a\nb", waitsForLineEnd: true) == ["a"])
  }

  @Test func leavesOutALastLineThatWasCut() throws {
    #expect(try lines(of: "a\nb", isEndSound: { false }) == ["a"])
    #expect(try lines(of: "a\nb", isEndSound: { true }) == ["a", "b"])
  }

  @Test func takesAndSkipsBytesAcrossReads() throws {
    let file = try FileDescriptor.temporary(in: "/tmp")
    try Array("ab\n\0\n\nXYZ12345678901234567890rest\n".utf8).withUnsafeBytes {
      try file.writeAll($0, subject: "test")
    }
    lseek(file.number, 0, SEEK_SET)
    var reader = LineReader(file, subject: "test", limit: 8, chunkSize: 3)
    guard case .text(let first) = reader.next() else { throw Unexpected() }
    #expect(first.string == "ab")
    #expect(reader.take(6)?.string == "\0\n\nXYZ")
    #expect(reader.take(9) == nil)
    reader.skip(20)
    guard case .text(let last) = reader.next() else { throw Unexpected() }
    #expect(last.string == "rest")
    #expect(reader.take(1) == nil)
    #expect(reader.offset == 34)
  }

  @Test func tellsThatAPipeWouldMakeItWait() throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    let writer = FileDescriptor(owning: ends[1])
    var reader = LineReader(FileDescriptor(owning: ends[0]), subject: "test", limit: 8, tellsPauses: true)
    guard case .pause = reader.next() else { throw Unexpected() }
    try Array("a\nb".utf8).withUnsafeBytes { try writer.writeAll($0, subject: "test") }
    guard case .text(let line) = reader.next() else { throw Unexpected() }
    #expect(line.string == "a")
    guard case .pause = reader.next() else { throw Unexpected() }
    #expect(reader.unfinishedCount == 1)
    try Array("c\n".utf8).withUnsafeBytes { try writer.writeAll($0, subject: "test") }
    guard case .text(let joined) = reader.next() else { throw Unexpected() }
    #expect(joined.string == "bc")
  }

  private struct Unexpected: Error {}
}
