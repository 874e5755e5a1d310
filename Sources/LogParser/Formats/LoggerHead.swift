import Bytes

/// The prefix of a program's own logger in a line that another writer carries: its level overrides the carrier's.
struct LoggerHead {
  /// The runtime's name for it.
  let level: ByteSlice
  /// The text after the prefix.
  let text: ByteSlice

  /// - `[2026-03-05T07:00:01Z WARN  target] text`, Rust's env_logger, with or without the time.
  /// - `2026-03-05T07:00:01.5Z ERROR target: text`, Rust's tracing.
  /// - `cloud-hypervisor: 91.3ms: <vmm> WARN:file.rs:81 -- text`.
  /// - `2026-03-05T07:00:00.02 [id:thread:WARN] text`, firecracker.
  init?(_ line: ByteSlice) {
    guard let first = line.bytes.first, let found = Self.find(line, first) else { return nil }
    level = found.level
    text = found.rest.trimmed
  }

  private typealias Found = (level: ByteSlice, rest: ByteSlice)

  private static func find(_ line: ByteSlice, _ first: UInt8) -> Found? {
    switch first {
    case UInt8(ascii: "["): bracketed(line)
    case UInt8(ascii: "c"): cloudHypervisor(line)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): timed(line)
    default: nil
    }
  }

  private static func bracketed(_ line: ByteSlice) -> Found? {
    // The kernel's stamp, which is frequent: behind its blanks is a number, and no level.
    var start = 1
    while line.peek(start) == UInt8(ascii: " ") { start += 1 }
    if start > 1, line.peek(start).isDigit { return nil }
    guard let close = line.firstIndex(of: UInt8(ascii: "]")), close < 256 else { return nil }
    var scanner = TextScanner(line.slice(1, close))
    _ = scanner.zonedTime()
    scanner.skipBlanks()
    guard let word = scanner.word(), let level = LevelName.normalized(word) else { return nil }
    scanner.skipBlanks()
    // A target is one word; systemd's `[ INFO ]` has neither a target nor a time.
    let target = scanner.word()
    guard scanner.isAtEnd, target != nil || line[1].isDigit else { return nil }
    return (level, line.dropFirst(close + 1))
  }

  private static func cloudHypervisor(_ line: ByteSlice) -> Found? {
    guard line.hasPrefix("cloud-hypervisor: "), let dashes = line.range(of: " -- "), dashes < 256 else {
      return nil
    }
    var scanner = TextScanner(line.slice(18, dashes))
    scanner.skipBlanks()
    guard let elapsed = scanner.word(), elapsed.hasSuffix("s:") else { return nil }
    scanner.skipBlanks()
    if scanner.next == UInt8(ascii: "<") {
      guard let close = scanner.rest.firstIndex(of: UInt8(ascii: ">")) else { return nil }
      scanner.skip(close + 1)
      scanner.skipBlanks()
    }
    guard let colon = scanner.rest.firstIndex(of: UInt8(ascii: ":")),
      let level = LevelName.normalized(scanner.rest.prefix(colon))
    else { return nil }
    return (level, line.dropFirst(dashes + 4))
  }

  /// The two forms whose time is outside the brackets.
  private static func timed(_ line: ByteSlice) -> Found? {
    var scanner = TextScanner(line)
    guard scanner.dayAndClock() != nil else { return nil }
    _ = scanner.offset()
    scanner.skipBlanks()
    if scanner.next == UInt8(ascii: "[") {
      guard let close = scanner.rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      let inside = scanner.rest.slice(1, close)
      for part in 0..<4 {
        guard let level = LevelName.normalized(Self.part(part, of: inside)) else { continue }
        return (level, scanner.rest.dropFirst(close + 1))
      }
      return nil
    }
    guard let word = scanner.word(), let level = LevelName.normalized(word) else { return nil }
    scanner.skipBlanks()
    guard let target = scanner.word(), target.hasSuffix(":") else { return nil }
    return (level, scanner.rest)
  }

  /// A part of a text that is divided by colons.
  private static func part(_ number: Int, of text: ByteSlice) -> ByteSlice {
    var start = 0
    for _ in 0..<number {
      guard let colon = text.firstIndex(of: UInt8(ascii: ":"), from: start) else { return .empty }
      start = colon + 1
    }
    return text.slice(start, text.firstIndex(of: UInt8(ascii: ":"), from: start) ?? text.count)
  }
}
