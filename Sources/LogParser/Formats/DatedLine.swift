import Bytes

/// A line of an unknown logger that begins with a time: the level is the first level name among the next few words,
/// and the message follows it.
enum DatedLine {
  /// The number of words after the time among which the level is searched for.
  private static let reach = 4

  static let detector = Detector(shape: "dated", firstBytes: "[0123456789") {
    (line, context, record) throws(RecordProblem) in
    guard context.rules.readsLoggers, read(line, into: &record) else { return .passed }
    record.fields.sortKeepingLast()
    return .record
  }

  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    var scanner = TextScanner(text)
    let hasBracket = scanner.take(UInt8(ascii: "["))
    guard let digit = scanner.next, digit.isDigit,
      let time = scanner.anyTime() ?? scanner.slashedDateAndTime()
    else { return false }
    if hasBracket, !scanner.take(UInt8(ascii: "]")) {
      // The level may be inside the brackets: the message follows them.
      guard scanner.next == UInt8(ascii: " ") else { return false }
    }
    guard scanner.isAtEnd || scanner.next.map({ !$0.isWordByte }) == true else { return false }
    let rest = scanner.rest
    if PastedText.hasRecord(rest) { return false }
    record.time = time
    record.message = rest.trimmedSeparators
    if let (start, end, level) = level(rest, &record.arena) {
      record.level = level
      let before = rest.prefix(start)
      record.message = rest.dropFirst(end).trimmedSeparators
      takePlaces(before, tabs: rest.dropFirst(end), &record)
    }
    return true
  }

  /// The first level among the words after the time.
  private static func level(
    _ text: ByteSlice, _ arena: inout Arena
  ) -> (start: Int, end: Int, level: ByteSlice)? {
    var index = 0
    for _ in 0..<reach {
      while index < text.count, !text[index].isWordByte { index += 1 }
      let start = index
      while index < text.count, text[index] > 0x20, !isEdge(text[index]) { index += 1 }
      let word = text.slice(start, index)
      // Few loggers write a level as one letter, which is often just a word.
      if word.count >= 3, let level = LevelName.normalized(word) { return (start, index, level) }
      if index == start { return nil }
    }
    return nil
  }

  private static func isEdge(_ byte: UInt8) -> Bool {
    byte == 0x3a || byte == 0x5d || byte == 0x5b || byte == 0x29 || byte == 0x28 || byte == 0x3e
      || byte == 0x3c
      || byte == 0x7c || byte == 0x2c
  }

  /// Takes the process and the logger before the level or, as zap writes them, after it between tabs.
  private static func takePlaces(_ before: ByteSlice, tabs: ByteSlice, _ record: inout Record) {
    var word = before.trimmedSeparators
    while let last = word.bytes.last, last <= 0x20 || last == 0x2d || last == 0x3a {
      word = word.prefix(word.count - 1)
    }
    if let pid = DecimalNumber.parse(word), pid > 0 {
      record.pid = pid
    } else if word.bytes.contains(where: { $0.isWordByte }) {
      if word.contains(UInt8(ascii: " ")) { record.setField("prefix", word) } else { record.source = word }
    }
    guard tabs.peek(0) == 0x09 else { return }
    var rest = tabs.dropFirst(1)
    while let tab = rest.firstIndex(of: 0x09), case let part = rest.prefix(tab),
      !part.contains(UInt8(ascii: " "))
    {
      if record.source.isEmpty { record.source = part } else { record.setField("location", part) }
      rest = rest.dropFirst(tab + 1)
    }
    record.message = rest.trimmed
  }
}

extension ByteSlice {
  /// The text without the blanks and marks that loggers put between columns.
  fileprivate var trimmedSeparators: ByteSlice {
    var text = trimmed
    while let first = text.bytes.first,
      first <= 0x20 || first == 0x2d || first == 0x3a || first == 0x7c || first == 0x2c || first == 0x5d
        || first == 0x29 || first == 0x3e
    {
      text = text.dropFirst(1)
    }
    while let last = text.bytes.last, last <= 0x20 || last == 0x7c { text = text.prefix(text.count - 1) }
    return text
  }
}
