import Bytes

/// A line that a guest kernel prints on its console: `[seconds.microseconds] text`.
enum KernelLine {
  /// The length of the timestamp at the start of `text`, with its brackets, or nil if there is none.
  static func stampLength(_ text: ByteSlice) -> Int? {
    guard text.peek(0) == 0x5b else { return nil }
    // Behind the text's end are zeros, which are none of these.
    var index = 1
    while text.peek(index) == 0x20 { index += 1 }
    let seconds = index
    while text.peek(index).isDigit { index += 1 }
    guard index > seconds, text.peek(index) == 0x2e else { return nil }
    index += 1
    let fraction = index
    while text.peek(index).isDigit { index += 1 }
    guard index - fraction == 6, text.peek(index) == 0x5d else { return nil }
    return index + 1
  }

  /// The agent's JSON object at the end of a kernel line, if the kernel's text was written between two agent lines
  /// without a line end.
  static func agentObject(in text: ByteSlice) -> ByteSlice? {
    guard text.contains(UInt8(ascii: "{")), let stamp = stampLength(text),
      let found = text.range(of: "{\"msg\":\"", from: stamp)
    else {
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

  /// As ``hasPriority(_:)``, with a timestamp after it.
  static func hasPriorityAndStamp(_ text: ByteSlice) -> Bool {
    guard hasPriority(text), let close = text.firstIndex(of: UInt8(ascii: ">")) else { return false }
    return stampLength(text.dropFirst(close + 1)) != nil
  }

  /// Whether `text` is the inside of a timestamp's brackets.
  static func isStamp(_ text: ByteSlice) -> Bool {
    var scanner = TextScanner(text)
    scanner.skipBlanks()
    guard scanner.number(1, 10) != nil, scanner.take(UInt8(ascii: ".")), scanner.number(6, 6) != nil else {
      return false
    }
    return scanner.isAtEnd
  }

  /// The seconds since boot in the timestamp at the start of `text`, as written.
  static func stamp(_ text: ByteSlice) -> ByteSlice? {
    stampLength(text).map { text.slice(1, $0 - 1).trimmed }
  }

  /// The length of the caller after the timestamp, with its brackets: `[   T17]`, the task, or `[    C1]`, the
  /// processor; 0 if there is none. https://docs.kernel.org/core-api/printk-basics.html, `CONFIG_PRINTK_CALLER`
  static func callerLength(_ text: ByteSlice) -> Int {
    var scan = TextScanner(text)
    guard scan.take(UInt8(ascii: "[")) else { return 0 }
    scan.skipBlanks()
    guard scan.take(UInt8(ascii: "T")) || scan.take(UInt8(ascii: "C")), scan.number(1, 10) != nil,
      scan.take(UInt8(ascii: "]"))
    else { return 0 }
    return scan.index
  }

  /// The caller after the timestamp, as written.
  static func caller(_ text: ByteSlice) -> ByteSlice? {
    let length = callerLength(text)
    return length == 0 ? nil : text.slice(1, length - 1).trimmed
  }

  /// Whether an agent's JSON object begins anywhere in `text`.
  static func hasAgentObject(_ text: ByteSlice) -> Bool { agentObjectStart(text) != nil }

  private static func agentObjectStart(_ text: ByteSlice) -> Int? {
    guard text.contains(UInt8(ascii: "{")) else { return nil }
    return text.range(of: "{\"msg\":\"") ?? text.range(of: "{\"level\":\"")
  }

  /// The agent's JSON object anywhere in `text`, up to the last brace, and where it begins.
  static func anyAgentObject(in text: ByteSlice) -> (text: ByteSlice, start: Int)? {
    guard let start = agentObjectStart(text), let end = text.lastIndex(of: 0x7d), end > start else {
      return nil
    }
    return (text.slice(start, end + 1), start)
  }

  /// Where in `text`, after its first byte, a kernel timestamp begins.
  static func firstStamp(in text: ByteSlice) -> Int? {
    var from = 1
    while let start = text.firstIndex(of: 0x5b, from: from) {
      if stampLength(text.dropFirst(start)) != nil { return start }
      from = start + 1
    }
    return nil
  }
}

extension KernelLine {
  /// Reads text of the host's own kernel after a prefix that names it; guest consoles have no such prefix.
  static func readOfHost(_ text: ByteSlice, into record: inout Record) {
    record.source = record.arena.copy("kernel" as StaticString)
    record.message = takeStamp(text, into: &record)
  }

  /// Takes a timestamp, and the thread or processor that printed the line (`[    T1]`, `[   C0]`), into fields; returns
  /// the rest.
  static func takeStamp(_ text: ByteSlice, into record: inout Record) -> ByteSlice {
    guard let length = stampLength(text) else { return text }
    record.setField("kernel_time", text.slice(1, length - 1).trimmed)
    var rest = text.dropFirst(length)
    if let caller = caller(rest) {
      record.setField("kernel_caller", caller)
      rest = rest.dropFirst(callerLength(rest))
    }
    return rest.hasPrefix(" ") ? rest.dropFirst(1) : rest
  }
}
