import Bytes

/// A line of Go's log package: `2026/03/05 10:42:08 [adaptor/cloud] text`, also with the source location before the
/// component, or without either. https://pkg.go.dev/log
enum GoLogLine {
  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    var scanner = TextScanner(text)
    guard let time = scanner.slashedDateAndTime(), scanner.isAtEnd || scanner.take(UInt8(ascii: " ")) else {
      return false
    }
    record.time = time
    if let place = place(&scanner) { record.source = place }
    if let component = component(&scanner) { record.source = component }
    record.message = scanner.rest.trimmed
    return true
  }

  /// Takes `file.go:12: `.
  private static func place(_ scanner: inout TextScanner) -> ByteSlice? {
    var attempt = scanner
    guard let word = attempt.word(), word.hasSuffix(":"), word.range(of: ".go:") != nil else { return nil }
    _ = attempt.take(UInt8(ascii: " "))
    scanner = attempt
    return word.prefix(word.count - 1)
  }

  /// Takes `[component]`, a path.
  private static func component(_ scanner: inout TextScanner) -> ByteSlice? {
    var attempt = scanner
    guard attempt.take(UInt8(ascii: "[")), let word = attempt.word(upTo: UInt8(ascii: "]")),
      word.bytes.allSatisfy({ $0.isWordByte || $0 == 0x2f || $0 == 0x2e || $0 == 0x2d })
    else { return nil }
    scanner = attempt
    return word
  }
}

/// A line of Calico's CNI plugin: `2026-03-05 10:43:12.838 [INFO][19090] k8s.go 546: text`.
enum CalicoLine {
  /// - Parameter rest: the text after the time and the blank that follows it.
  static func read(_ rest: ByteSlice, time: Timestamp, into record: inout Record) -> Bool {
    var scanner = TextScanner(rest)
    guard scanner.take(UInt8(ascii: "[")), let word = scanner.word(upTo: UInt8(ascii: "]")),
      let level = LevelName.normalized(word), scanner.take(UInt8(ascii: "[")),
      let pid = scanner.number(1, 10), scanner.take("] "), let file = scanner.word(),
      scanner.take(UInt8(ascii: " ")), let line = scanner.word(upTo: UInt8(ascii: ":")),
      DecimalNumber.parse(line) != nil
    else { return false }
    record.time = time
    record.level = level
    record.pid = pid
    record.source = record.arena.join(file, UInt8(ascii: ":"), line)
    record.message = scanner.rest.trimmed
    return true
  }
}
