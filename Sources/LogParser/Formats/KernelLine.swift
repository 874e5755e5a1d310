import Bytes

/// A line that a guest kernel prints on its console: `[seconds.microseconds] text`.
enum KernelLine {
  /// The length of the time stamp at the start of `text`, with its brackets, or nil when there is none.
  static func stampLength(_ text: ByteSlice) -> Int? {
    guard let first = text.bytes.first, first == 0x5b else { return nil }
    var index = 1
    while index < text.count, text[index] == 0x20 { index += 1 }
    let seconds = index
    while index < text.count, text[index].isDigit { index += 1 }
    guard index > seconds, index < text.count, text[index] == 0x2e else { return nil }
    index += 1
    let fraction = index
    while index < text.count, text[index].isDigit { index += 1 }
    guard index - fraction == 6, index < text.count, text[index] == 0x5d else { return nil }
    return index + 1
  }

  /// The agent's JSON object at the end of a kernel line, where the kernel's text was written between two of the
  /// agent's lines without a line end.
  static func agentObject(in text: ByteSlice) -> ByteSlice? {
    guard let stamp = stampLength(text), let found = text.range(of: "{\"msg\":\"", from: stamp) else {
      return nil
    }
    return text.dropFirst(found)
  }
}

extension KernelLine {
  /// Whether `text` begins with the kernel's or syslog's priority: `<6>`.
  static func hasPriority(_ text: ByteSlice) -> Bool {
    var scan = TextScanner(text)
    return scan.take(0x3c) && scan.number(1, 3) != nil && scan.take(0x3e)
  }

  /// The seconds since the guest's start in the stamp that `text` begins with, as they are written.
  static func stamp(_ text: ByteSlice) -> ByteSlice? {
    stampLength(text).map { text.slice(1, $0 - 1).trimmed }
  }

  /// Whether the agent's JSON begins somewhere in `text`.
  static func hasAgentObject(_ text: ByteSlice) -> Bool { agentObjectStart(text) != nil }

  private static func agentObjectStart(_ text: ByteSlice) -> Int? {
    text.range(of: "{\"msg\":\"") ?? text.range(of: "{\"level\":\"")
  }

  /// The agent's JSON object wherever in `text` it begins, up to its last brace, and where that is.
  static func anyAgentObject(in text: ByteSlice) -> (text: ByteSlice, start: Int)? {
    guard let start = agentObjectStart(text), let end = text.lastIndex(of: 0x7d), end > start else {
      return nil
    }
    return (text.slice(start, end + 1), start)
  }

  /// Where in `text`, behind its first byte, a kernel's time stamp begins.
  static func firstStamp(in text: ByteSlice) -> Int? {
    var from = 1
    while let start = text.firstIndex(of: 0x5b, from: from) {
      if stampLength(text.dropFirst(start)) != nil { return start }
      from = start + 1
    }
    return nil
  }
}
