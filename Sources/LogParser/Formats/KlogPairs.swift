import Bytes

extension KlogPrefix {
  /// Fills the record from a line.
  ///
  /// - Parameter hasFields: whether the pairs of a structured line become fields.
  static func fill(_ record: inout Record, _ line: Wrapper, _ place: ByteSlice, hasFields: Bool) {
    record.time = line.time ?? .unset
    record.level = line.level
    record.pid = line.pid
    record.message = line.payload
    record.source = place
    if hasFields { readStructured(line.payload, into: &record) }
  }

  /// `"text" key="value" …`: klog's structured lines begin with their text in quotes.
  private static func readStructured(_ text: ByteSlice, into record: inout Record) {
    guard text.hasPrefix("\""), let message = quoted(text, at: 0, &record.arena) else { return }
    var index = message.end
    var isWhole = true
    while index < text.count {
      guard text[index] == UInt8(ascii: " ") else {
        isWhole = false
        break
      }
      let start = index + 1
      guard let equals = text.firstIndex(of: UInt8(ascii: "="), from: start), equals > start,
        !text.slice(start, equals).contains(UInt8(ascii: " "), or: UInt8(ascii: "\"")),
        let value = value(text, at: equals + 1, &record.arena)
      else {
        isWhole = false
        break
      }
      add(text.slice(start, equals), value.text, to: &record)
      index = value.end
    }
    // Otherwise words that are not pairs would be lost.
    if isWhole { record.message = message.text }
  }

  private static func add(_ key: ByteSlice, _ value: ByteSlice, to record: inout Record) {
    if key == "pod" {
      let slash = value.firstIndex(of: UInt8(ascii: "/"))
      record.setField("pod", slash.map { value.dropFirst($0 + 1) } ?? value)
      if let slash { record.setField("pod_namespace", value.prefix(slash)) }
      return
    }
    if key == "podSandboxID" || key == "sandboxID" { record.sandbox = identifier(value) }
    if key == "containerID" { record.container = identifier(value) }
    record.setField(key, value)
  }

  /// The id in `containerd://id` or `{"Type":"containerd","ID":"id"}`.
  private static func identifier(_ value: ByteSlice) -> ByteSlice {
    if let start = value.range(of: "\"ID\":\""),
      let end = value.firstIndex(of: UInt8(ascii: "\""), from: start + 6)
    {
      return value.slice(start + 6, end)
    }
    return value.range(of: "://").map { value.dropFirst($0 + 3) } ?? value
  }

  private static func quoted(
    _ text: ByteSlice, at quote: Int, _ arena: inout Arena
  ) -> (text: ByteSlice, end: Int)? {
    let close = text.closingQuote(from: text.quoteOrEscape(from: quote + 1).at)
    guard close < text.count,
      let value = try? Unescaper.unescape(text.slice(quote + 1, close), rule: .logfmt, into: &arena)
    else { return nil }
    return (value, close + 1)
  }

  private static func value(
    _ text: ByteSlice, at start: Int, _ arena: inout Arena
  ) -> (text: ByteSlice, end: Int)? {
    guard start < text.count else { return (.empty, start) }
    if text[start] == UInt8(ascii: "\"") { return quoted(text, at: start, &arena) }
    var depth = 0
    var end = start
    while end < text.count, depth > 0 || text[end] != UInt8(ascii: " ") {
      switch text[end] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      end += 1
    }
    return (text.slice(start, end), end)
  }
}
