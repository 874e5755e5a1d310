import Bytes
import Testing

@testable import LogParser

struct HeldLinesTests {
  private func drain(_ held: inout HeldLines) -> [String] {
    var lines: [String] = []
    while let line = held.nextToReplay() { lines.append("\(line.line):\(line.slice.string)") }
    return lines
  }

  @Test func handsOutNothingBeforeItIsToldTo() {
    var arena = Arena()
    var held = HeldLines()
    held.append(arena.copy("a"), 1)
    #expect(held.nextToReplay() == nil)
    #expect(!held.isEmpty && held.byteCount > 0)
  }

  @Test func handsOutItsOwnCopiesInOrder() {
    var arena = Arena()
    var held = HeldLines()
    for (index, text) in ["a", "", "c\r"].enumerated() {
      held.append(arena.copy(text), UInt64(index + 1))
      arena.reset()
    }
    held.replay()
    #expect(drain(&held) == ["1:a", "2:", "3:c\r"])
    #expect(held.isEmpty && held.byteCount == 0 && !held.isReplaying)
  }

  @Test func handsOutALineOnceMore() {
    var arena = Arena()
    var held = HeldLines()
    held.replayNext(arena.copy("alone"), 7)
    #expect(drain(&held) == ["7:alone"])
    held.append(arena.copy("a"), 1)
    held.append(arena.copy("b"), 2)
    held.replay()
    guard let first = held.nextToReplay() else { return #expect(Bool(false), "a line is held") }
    held.replayNext(first.slice, first.line)
    #expect(drain(&held) == ["1:a", "2:b"])
  }
}

struct PartialLinesTests {
  /// `stdout P text` or the like, given as the line with that number.
  private func add(_ line: String, _ number: UInt64, to parts: inout PartialLines) -> String {
    var arena = Arena()
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    var wrapper = Wrapper(arena.copy(words[2]))
    wrapper.stream = arena.copy(words[0])
    wrapper.time = Timestamp(seconds: Int64(number))
    return Self.text(parts.add(wrapper, isPartial: words[1] == "P", line: number))
  }

  private static func text(_ result: PartialLines.Result) -> String {
    switch result {
    case .waits: "waits"
    case .single: "single"
    case .joined(let line, let first):
      "\(line.line):\(first.stream.string)@\(first.time?.seconds ?? -1):\(line.slice.string)"
    case .tooLong(let count): "tooLong \(count)"
    }
  }

  @Test func joinsThePartsOfEachStream() {
    var parts = PartialLines(limit: 16)
    #expect(add("stdout F one", 1, to: &parts) == "single")
    #expect(add("stdout P one ", 2, to: &parts) == "waits")
    #expect(add("stderr P two ", 3, to: &parts) == "waits")
    #expect(add("stdout F three", 4, to: &parts) == "2:stdout@2:one three")
    #expect(Self.text(parts.takeRest()) == "3:stderr@3:two ")
    #expect(Self.text(parts.takeRest()) == "waits")
  }

  @Test func tellsTheLengthOfALineOverTheLimit() {
    var parts = PartialLines(limit: 4)
    #expect(add("stdout P 1234", 1, to: &parts) == "waits")
    #expect(add("stdout P 5", 2, to: &parts) == "waits")
    #expect(add("stdout F 6", 3, to: &parts) == "tooLong 6")
    #expect(add("stdout F 7", 4, to: &parts) == "single")
  }
}
