import Bytes

/// A line of the old virtiofsd in C: `[2026-03-05 10:51:55.948856+0000] [ID: 00002250] text`, with a count of
/// nanoseconds instead of the time, or without either.
enum FuseDaemonLine {
  static func read(_ text: ByteSlice, into record: inout Record) -> Bool {
    var scanner = TextScanner(text)
    var time = Timestamp.unset
    if !text.hasPrefix("[ID: ") {
      guard scanner.take(UInt8(ascii: "[")) else { return false }
      if let read = scanner.anyTime() {
        time = read
      } else if scanner.number(1, 18) == nil {
        return false
      }
      guard scanner.take("] ") else { return false }
    }
    guard scanner.take("[ID: "), let thread = scanner.word(upTo: UInt8(ascii: "]")),
      DecimalNumber.parse(thread) != nil
    else { return false }
    record.time = time
    record.message = scanner.rest.trimmed
    record.name = record.arena.copy("virtiofsd" as StaticString)
    record.source = record.name
    record.setField("thread", thread)
    return true
  }
}
