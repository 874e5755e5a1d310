import Bytes

/// A line of Rust's env_logger or a similar logger:
///
/// - `[2026-03-05T10:40:49Z INFO  broker::http] text`, with or without the time and the target
///   (https://docs.rs/env_logger)
/// - `[2026-03-05 11:50:33.662755 +08:00] INFO [storage/src/registry.rs:271] text`, the form of nydusd
enum EnvLoggerLine {
  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    var scanner = TextScanner(text)
    guard scanner.take(UInt8(ascii: "[")) else { return false }
    let isDated = scanner.next?.isDigit ?? false
    let time = isDated ? scanner.anyTime() : nil
    if isDated, time == nil { return false }
    if let time, scanner.take(UInt8(ascii: "]")) { return readPlaced(&scanner, time, into: &record) }
    scanner.skipBlanks()
    let start = scanner.rest
    guard let end = start.firstIndex(of: UInt8(ascii: "]")) else { return false }
    var head = TextScanner(start.prefix(end))
    guard let word = head.word(), word.count >= 4 || time != nil,
      let level = LevelName.normalized(word)
    else { return false }
    head.skipBlanks()
    let target = head.word() ?? .empty
    // A single word in brackets is a systemd status, or unknown.
    guard head.isAtEnd, time != nil || !target.isEmpty else { return false }
    scanner.skip(end + 1)
    guard scanner.isAtEnd || scanner.next == UInt8(ascii: " ") else { return false }
    record.time = time ?? .unset
    record.level = level
    record.message = scanner.rest.trimmed
    record.setTarget(target)
    return true
  }

  /// Reads the part after the bracketed time: the level, and the source location in brackets.
  private static func readPlaced(
    _ scanner: inout TextScanner, _ time: Timestamp, into record: inout Record
  ) -> Bool {
    scanner.skipBlanks()
    guard let word = scanner.word(), let level = LevelName.normalized(word) else { return false }
    scanner.skipBlanks()
    guard scanner.take(UInt8(ascii: "[")), let place = scanner.word(upTo: UInt8(ascii: "]")) else {
      return false
    }
    record.time = time
    record.level = level
    record.source = place
    record.name = record.arena.copy("nydusd" as StaticString)
    record.message = scanner.rest.trimmed
    return true
  }
}

extension Record {
  /// Takes the target of a Rust logger, a module path: it is the source, and its first part the program.
  mutating func setTarget(_ target: ByteSlice) {
    if target.isEmpty { return }
    source = target
    name = target.prefix(target.range(of: "::") ?? target.firstIndex(of: UInt8(ascii: ":")) ?? target.count)
    setField("target", target)
  }
}
