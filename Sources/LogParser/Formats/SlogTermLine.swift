import Bytes

/// A line of slog's terminal format, which kata-ctl and agent-ctl write: `Mar 05 10:45:56.789 INFO text, key: value`.
/// https://docs.rs/slog-term
enum SlogTermLine {
  static let detector = Detector(shape: "slog-term", firstBytes: "JFMASOND") {
    (line, context, record) throws(RecordProblem) in
    // On a terminal the level is colored.
    let isColored = line.peek(20) == 0x1b
    let text = isColored ? ConsoleText.display(line, &record.arena) : line
    guard let head = Head(text, context.text.clock) else { return .passed }
    head.fill(&record)
    return .record
  }

  private struct Head {
    let time: Timestamp
    let level: ByteSlice
    let text: ByteSlice

    init?(_ line: ByteSlice, _ clock: LineClock) {
      // The part before the message has 24 bytes.
      guard line.count > 24, line[15] == UInt8(ascii: "."), line[19] == UInt8(ascii: " "),
        line[24] == UInt8(ascii: " "), isLevel(line.slice(20, 24)),
        let level = LevelName.normalized(line.slice(20, 24))
      else { return nil }
      var scanner = TextScanner(line)
      guard let time = SyslogTime.monthTime(&scanner, clock), scanner.index == 19 else { return nil }
      self.time = time
      self.level = level
      text = line.dropFirst(25).trimmed
    }

    func fill(_ record: inout Record) {
      record.time = time
      record.level = level
      record.message = text
      while let (key, value, start) = lastPair(record.message) {
        record.setField(key, value)
        record.message = record.message.prefix(start).trimmed
      }
      record.fields.sortKeepingLast()
    }

    /// The pair `, key: value` at the end of the text.
    private func lastPair(_ text: ByteSlice) -> (key: ByteSlice, value: ByteSlice, start: Int)? {
      var search = text.count
      while let comma = text.prefix(search).lastIndex(of: UInt8(ascii: ",")) {
        var scanner = TextScanner(text.dropFirst(comma))
        if scanner.take(", "), let word = scanner.word(), word.hasSuffix(":"),
          isKey(word.prefix(word.count - 1)),
          scanner.isAtEnd || scanner.take(UInt8(ascii: " "))
        {
          return (word.prefix(word.count - 1), scanner.rest, comma)
        }
        search = comma
      }
      return nil
    }
  }

  private static func isLevel(_ word: ByteSlice) -> Bool {
    word == "CRIT" || word == "ERRO" || word == "WARN" || word == "INFO" || word == "DEBG" || word == "TRCE"
  }

  private static func isKey(_ word: ByteSlice) -> Bool {
    guard let first = word.bytes.first, first.isLetter else { return false }
    for byte in word.bytes
    where !byte.isLetter && !byte.isDigit && byte != UInt8(ascii: "_") && byte != UInt8(ascii: "-") {
      return false
    }
    return true
  }
}
