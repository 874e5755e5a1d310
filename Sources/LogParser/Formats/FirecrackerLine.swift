import Bytes

/// A line of Firecracker's log: `2026-03-05T10:50:30.020581822
/// [anonymous-instance:main:WARN:src/vmm/src/builder.rs:172] text`, in older versions without the thread and the place.
/// https://github.com/firecracker-microvm/firecracker/blob/main/docs/logger.md
enum FirecrackerLine {
  /// Kata names the instance after the beginning of the sandbox's id, which has at least this length.
  private static let shortestID = 20

  /// - Parameter rest: the text after the time and the blanks that follow it.
  static func read(_ rest: ByteSlice, time: Timestamp, into record: inout Record) -> Bool {
    var scanner = TextScanner(rest)
    guard scanner.take(UInt8(ascii: "[")), let head = scanner.word(upTo: UInt8(ascii: "]")),
      let colon = head.firstIndex(of: UInt8(ascii: ":"))
    else { return false }
    let instance = head.prefix(colon)
    var left = head.dropFirst(colon + 1)
    var thread = ByteSlice.empty
    var level = firstPart(left)
    var found = LevelName.normalized(level)
    if found == nil, level.count < left.count {
      thread = level
      left = left.dropFirst(thread.count + 1)
      level = firstPart(left)
      found = LevelName.normalized(level)
    }
    guard let found else { return false }
    record.time = time
    record.level = found
    record.name = record.arena.copy("firecracker" as StaticString)
    let place = left.dropFirst(level.count + 1)
    record.source = place.isEmpty ? record.name : place
    record.message = scanner.rest.trimmed
    record.setField("instance", instance)
    if !thread.isEmpty { record.setField("thread", thread) }
    if instance.count >= shortestID, instance.bytes.allSatisfy({ $0.isHexDigit || $0 == 0x2d }) {
      record.sandbox = instance
    }
    return true
  }

  private static func firstPart(_ text: ByteSlice) -> ByteSlice {
    text.prefix(text.firstIndex(of: UInt8(ascii: ":")) ?? text.count)
  }
}

extension UInt8 {
  /// Whether the byte is a lower-case hexadecimal digit.
  var isHexDigit: Bool { isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self) }
}
