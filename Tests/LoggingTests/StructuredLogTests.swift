import Bytes
import Glibc
import Logging
import Synchronization
import Testing

/// Keeps the lines that a log writes.
private final class Lines: Sendable {
  private let texts = Mutex<[String]>([])
  var all: [String] { texts.withLock { $0 } }
  func add(_ bytes: [UInt8]) { texts.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) } }
}

@Suite struct StructuredLogTests {
  private let lines = Lines()

  private func log(_ level: LogLevel?) -> StructuredLog {
    let lines = lines
    return StructuredLog(level: level, program: "the-program", source: "the-source") { lines.add($0) }
  }

  @Test func lineHasTheFieldsOfEveryKataComponent() throws {
    log(.info).warning("a \"message\"", ["plain": "a/b:c", "quoted": "d e", "equals": "f=g", "empty": ""])
    let line = try #require(lines.all.first)
    let (start, end) = (try #require(line.firstIndex(of: " ")), " level=")
    #expect(line.hasPrefix("time=\"2") && line[start...].hasPrefix(end))
    #expect(
      line[start...]
        == " level=warning msg=\"a \\\"message\\\"\" name=the-program pid=\(getpid()) source=the-source plain=a/b:c quoted=\"d e\" equals=\"f=g\" empty=\"\"\n"
    )
    let time = line[..<start].dropFirst(6).dropLast()
    #expect(time.hasSuffix("Z"))
  }

  @Test(arguments: [
    (LogLevel.debug, ["debug", "info", "warning", "error"]), (.info, ["info", "warning", "error"]),
    (.warning, ["warning", "error"]), (.error, ["error"]), (nil, []),
  ])
  func linesBelowTheLevelAreLeftOut(_ level: LogLevel?, _ written: [String]) {
    let log = log(level)
    log.debug("debug")
    log.info("info")
    log.warning("warning")
    log.error("error")
    #expect(lines.all.count == written.count)
    for (line, word) in zip(lines.all, written) { #expect(line.contains(" level=\(word) msg=\"\(word)\"")) }
  }

  @Test func messageThatIsNotWrittenIsNotMade() {
    var made = 0
    func message() -> String {
      made += 1
      return "message"
    }
    log(.info).debug(message())
    #expect(made == 0)
    log(.debug).debug(message())
    #expect(made == 1)
  }

  @Test func onePeerFillsItsShareAlone() {
    let log = log(.info)
    for number in 0..<100 { log.limited(.warning, by: "loud", "line \(number)") }
    log.limited(.warning, by: "quiet", "another line")
    // A minute may end between two lines: then the loud one has a second share.
    #expect((11...22).contains(lines.all.count))
    #expect(lines.all.last?.contains("another line") == true)
  }

  @Test(arguments: [
    ("plain text, ä, 日本語", "plain text, ä, 日本語"), ("tab\tline\n", "tab\tline\n"),
    ("\u{1b}[2J", "\u{fffd}[2J"),
    ("\u{9b}2J\u{7f}\0", "\u{fffd}2J\u{fffd}\u{fffd}"),
    ("\u{202e}\u{feff}\u{e000}", "\u{fffd}\u{fffd}\u{fffd}"),
    ("%!d(MISSING) 100%", "% !d(MISSING) 100%"), ("", ""),
  ])
  func whatATerminalObeysIsNotWritten(_ text: String, _ written: String) {
    #expect(Array(StructuredLog.printable(text).utf8) == Array(written.utf8))
  }
}

@Suite struct RateLimitTests {
  private let minute: UInt64 = 60_000_000_000

  @Test func shareOfAMinuteIsAdmittedAndTheRestCounted() {
    let limit = RateLimit(perMinute: 3)
    let start = 5 * minute
    #expect((0..<5).map { limit.admit("a", now: start + $0) } == [0, 0, 0, nil, nil])
    #expect(limit.admit("b", now: start + 5) == 0)
    #expect(limit.admit("a", now: start + minute - 1) == nil)
    #expect(limit.admit("a", now: start + minute) == 3)
    #expect(limit.admit("a", now: start + minute + 1) == 0)
  }

  @Test func memoryForPeersIsBounded() {
    let limit = RateLimit(perMinute: 1)
    #expect(limit.admit("first", now: 0) == 0)
    #expect(limit.admit("first", now: 0) == nil)
    for number in 0..<5000 { #expect(limit.admit("peer \(number)", now: 0) == 0) }
    // It was forgotten among so many.
    #expect(limit.admit("first", now: 0) == 0)
  }
}

@Suite struct LogLevelTests {
  private func level(_ name: String) -> LogLevel? {
    let bytes = Array(name.utf8) + [UInt8](repeating: 0, count: ByteSlice.padding)
    return bytes.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.flatMap { LogLevel(name: ByteSlice(base: $0, count: name.utf8.count, isPlain: true)) }
    }
  }

  @Test(arguments: [
    ("trace", LogLevel.trace), ("TRCE", .trace), ("debug", .debug), ("DEBG", .debug), ("info", .info),
    ("INFO", .info), ("notice", .info), ("warn", .warning), ("Warning", .warning), ("err", .error),
    ("error", .error), ("ERRO", .error), ("crit", .critical), ("critical", .critical), ("fatal", .critical),
    ("panic", .critical), ("alert", .critical), ("emerg", .critical), ("emergency", .critical),
  ])
  func nameIsUnderstood(_ name: String, _ expected: LogLevel) { #expect(level(name) == expected) }

  @Test(arguments: ["", "e", "er", "erra", "information", "inf", "7", "ünfo", "        "])
  func otherNameIsNotALevel(_ name: String) { #expect(level(name) == nil) }

  @Test func everyLevelUnderstandsItsOwnName() {
    for expected in LogLevel.allCases {
      #expect(level(expected.name) == expected)
      #expect(LogLevel(option: expected.name) == expected)
    }
    #expect(LogLevel(option: "warn") == .warning)
    #expect(LogLevel(option: "INFO") == nil)
    #expect(LogLevel.allCases == LogLevel.allCases.sorted())
  }
}
