/// A line that a guest kernel prints on its console: `[seconds.microseconds] text`.
enum KernelLine {
  /// The length of the time stamp at the start of `text`, with its brackets, or nil when there is none.
  static func stampLength(_ text: ByteSlice) -> Int? {
    guard let first = text.bytes.first, first == 0x5b else { return nil }
    var index = 1
    while index < text.count, text[index] == 0x20 { index += 1 }
    let seconds = index
    while index < text.count, text[index] &- 0x30 < 10 { index += 1 }
    guard index > seconds, index < text.count, text[index] == 0x2e else { return nil }
    index += 1
    let fraction = index
    while index < text.count, text[index] &- 0x30 < 10 { index += 1 }
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
