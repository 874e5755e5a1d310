import Bytes

/// A line of Rust's tracing-subscriber: `2026-03-05T10:41:09.123456Z  INFO data_hub::hub: text`, with the thread and
/// the spans before the target, or neither. https://docs.rs/tracing-subscriber
enum TracingLine {
  /// - Parameter rest: the text after the time and the blanks that follow it.
  static func read(_ rest: ByteSlice, time: Timestamp, into record: inout Record) -> Bool {
    var scanner = TextScanner(rest)
    guard let word = scanner.word(), word.count >= 4, let first = word.bytes.first, first.isUpper,
      let level = LevelName.normalized(word), scanner.take(UInt8(ascii: " "))
    else { return false }
    var thread = ByteSlice.empty
    if scanner.rest.hasPrefix("ThreadId("), let word = scanner.word() {
      thread = word
      scanner.skipBlanks()
    }
    var spans = ByteSlice.empty
    guard var target = path(&scanner) else { return false }
    if target.contains(UInt8(ascii: "{")) || hasSingleColon(target) {
      var behind = scanner
      if let next = path(&behind), !next.contains(UInt8(ascii: "{")) {
        spans = target
        target = next
        scanner = behind
      }
    }
    if let brace = target.lastIndex(of: UInt8(ascii: "}")), target.peek(brace + 1) == UInt8(ascii: ":") {
      spans = target.prefix(brace + 1)
      target = target.dropFirst(brace + 2)
    }
    record.time = time
    record.level = level
    record.setTarget(target)
    if !thread.isEmpty { record.setField("thread", thread) }
    if !spans.isEmpty { record.setField("spans", spans) }
    record.message = scanner.rest.trimmed
    return true
  }

  /// Takes a path, or spans with their values in braces, up to the colon and blank after it.
  private static func path(_ scanner: inout TextScanner) -> ByteSlice? {
    let text = scanner.rest
    var index = 0
    var depth = 0
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "{") {
        depth += 1
      } else if byte == UInt8(ascii: "}") {
        depth -= 1
      } else if depth == 0 {
        if byte == UInt8(ascii: ":"), text.peek(index + 1) == UInt8(ascii: " ") || index + 1 == text.count {
          guard index > 0 else { return nil }
          scanner.skip(index + 2)
          return text.prefix(index)
        }
        let isPathByte =
          byte.isWordByte || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
          || byte == UInt8(ascii: "-")
        guard isPathByte else { return nil }
      }
      index += 1
    }
    return nil
  }

  /// Whether the text has several spans: a module path has only double colons.
  private static func hasSingleColon(_ text: ByteSlice) -> Bool {
    var index = 0
    while let colon = text.firstIndex(of: UInt8(ascii: ":"), from: index) {
      if text.peek(colon + 1) != UInt8(ascii: ":") { return true }
      index = colon + 2
    }
    return false
  }
}
